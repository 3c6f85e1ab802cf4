"""Conditioned U-Net: one U-Net for all sources; a condition selects the source."""

import keras
import numpy as np
from keras import layers as kl
from keras import ops

from kerasep.errors import InputError
from kerasep.layers import ApplyMask, DecoderBlock2D, EncoderBlock2D, FiLM, UnfoldSources
from kerasep.models.separation_model import SeparationModel, check_signal
from kerasep.models.unet_like import DROPPED, check_filters, to_unit_peak
from kerasep.ops import check_transform

FILMS = ("simple", "complex")
CONTROLS = ("dense", "conv")


@keras.saving.register_keras_serializable("kerasep")
class ConditionedUNetLike(SeparationModel):
    """The Conditioned-U-Net: the weights of one U-Net, steered to each source by a control network.

    The control network turns the one-hot vector of a source into a factor gamma and a term beta for
    each encoder block (simple) or for each of its channels (complex). Both modulate the output of
    the batch norm there (`kerasep.layers.FiLM`). The U-Net is that of `UNetLike`. All sources run
    in one pass, side by side in the batch. More sources cost time, but hardly any weights.

    The control network embeds the vector by dense layers, or by convolutions along it. Each has a
    ReLU and, from the second on, dropout and batch norm. Initially gammas are near 1 and betas near
    0, so the U-Net starts as if there were no condition. (In the authors' code they start around 0,
    and the next batch norm undoes that.) The last block has a bias instead of the batch norm of the
    authors' code.

    Args:
        sources: names of the sources. Defaults to ("vocals", "drums", "bass", "other").
        sample_rate: in Hz. Defaults to 8192.
        channels: number of channels of the mixture. Defaults to 1.
        n_fft: FFT length in samples. Defaults to 1024.
        hop: samples between frames. Defaults to 768.
        window: analysis window. Defaults to "hann".
        filters: channels of the convolutions, from the finest to the coarsest level. The length of
            the list is the depth. Defaults to (16, 32, 64, 128, 256, 512).
        film: "simple" for one gamma and beta per block, "complex" for one per channel. Defaults to
            "simple".
        control: "dense" or "conv", the layers of the control network. Defaults to "dense".
        units: width of each layer of the control network. Defaults to (16, 64, 256).
        dropout: rate of the first three decoder blocks, and in the control network. Defaults to
            0.5.
        name: name of the model.

    Input shape:
        Magnitude `(batch, frames, n_fft / 2 + 1, channels)`.

    Output shape:
        Source magnitudes `(batch, frames, n_fft / 2 + 1, channels, sources)`.

    Raises:
        InputError: for arguments out of range.

    Example:
    ```python
    import numpy as np
    from kerasep.models import ConditionedUNetLike

    model = ConditionedUNetLike(["vocals", "drums"], 8000, n_fft=256, hop=64, filters=[4, 8])
    magnitude = np.random.rand(1, 21, 129, 1).astype("float32")
    assert model.predict_on_batch(magnitude).shape == (1, 21, 129, 1, 2)
    ```

    Reference:
        Meseguer-Brocal and Peeters 2019, "Conditioned-U-Net: introducing a control mechanism in the
        U-Net for multiple source separations", ISMIR.
    """

    def __init__(
        self,
        sources: list[str] | tuple[str, ...] = ("vocals", "drums", "bass", "other"),
        sample_rate: float = 8192,
        channels: int = 1,
        n_fft: int = 1024,
        hop: int = 768,
        window: str = "hann",
        filters: list[int] | tuple[int, ...] = (16, 32, 64, 128, 256, 512),
        film: str = "simple",
        control: str = "dense",
        units: list[int] | tuple[int, ...] = (16, 64, 256),
        dropout: float = 0.5,
        name: str = "conditioned_unet_like",
    ) -> None:
        sources = check_signal(sources, sample_rate, channels)
        if not 0 <= dropout < 1:
            raise InputError(f"received dropout={dropout}, expected a share from 0 to below 1")
        check_transform(n_fft, hop, window)
        filters = check_filters(filters)
        units = _check_control(film, control, units)

        # Functional model
        mixture = keras.Input((None, n_fft // 2 + 1, channels), name="magnitude")
        # Each example once per source, next to each other, and the one-hot vectors of the sources.
        x = ops.repeat(to_unit_peak(mixture), len(sources), axis=0)
        wanted = ops.zeros_like(mixture[:, :1, :1, 0]) + np.eye(len(sources), dtype="float32")
        embedding = ops.reshape(wanted, (-1, len(sources)))
        if control == "conv":
            embedding = embedding[..., None]
        for index, count in enumerate(units):
            if control == "dense":
                layer = kl.Dense(count, activation="relu", name=f"control{index + 1}")
            else:
                padding = "valid" if index == len(units) - 1 else "same"
                layer = kl.Conv1D(
                    count, len(sources), 1, padding, activation="relu", name=f"control{index + 1}"
                )
            embedding = layer(embedding)
            if index:
                embedding = kl.Dropout(dropout, name=f"control{index + 1}_dropout")(embedding)
                embedding = kl.BatchNormalization(momentum=0.9, name=f"control{index + 1}_norm")(
                    embedding
                )
        if control == "conv":
            embedding = embedding[:, 0]
        widths = [1 if film == "simple" else count for count in filters]
        gammas = kl.Dense(sum(widths), bias_initializer="ones", name="gammas")(embedding)
        betas = kl.Dense(sum(widths), name="betas")(embedding)

        skips, first = [], 0
        for depth, (count, width) in enumerate(zip(filters, widths, strict=True), 1):
            skips.append(x)
            x = EncoderBlock2D(count, activation=None, name=f"down{depth}")(x)
            part = slice(first, first + width)
            x = FiLM(name=f"film{depth}")(x, gammas[:, part], betas[:, part])
            x = kl.LeakyReLU(0.2, name=f"leaky_relu{depth}")(x)
            first += width
        for depth in range(len(filters) - 1, 0, -1):
            x = DecoderBlock2D(
                filters[depth - 1],
                dropout=dropout if depth >= len(filters) - DROPPED else 0.0,
                name=f"up{depth}",
            )(x, skips[depth])
        masks = DecoderBlock2D(channels, join=None, norm=None, activation="sigmoid", name="mask")(
            x, skips[0]
        )
        unfolded = UnfoldSources(len(sources), name="masks")(masks)
        outputs = ApplyMask(name="source_magnitudes")(unfolded, mixture)
        super().__init__(mixture, outputs, name=name)

        self.stft = {"n_fft": n_fft, "hop": hop, "window": window}


def _check_control(film, control, units):
    """Validate the control network's arguments; return its widths as a tuple."""
    if film not in FILMS or control not in CONTROLS:
        raise InputError(
            f"received film={film!r}, control={control!r}, expected film of {', '.join(FILMS)}, "
            f"control of {', '.join(CONTROLS)}"
        )
    if not isinstance(units, list | tuple) or not units or min(units) < 1:
        raise InputError(f"received units={units!r}, expected a list of numbers of at least 1")
    return tuple(units)
