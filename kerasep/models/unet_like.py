"""U-Net: masks from strided and transposed convolutions with skips between them."""

import keras
from keras import ops

from kerasep.errors import InputError
from kerasep.layers import ApplyMask, DecoderBlock2D, EncoderBlock2D
from kerasep.models.separation_model import SeparationModel, check_signal
from kerasep.ops import check_transform

# Decoder blocks with dropout.
DROPPED = 3


@keras.saving.register_keras_serializable("kerasep")
class UNetLike(SeparationModel):
    """The deep U-Net for singing voice, as published: one network per source, in one model.

    Each network halves frames and bins six times by 5x5 convolutions (batch norm, leaky ReLU of
    slope 0.2). Transposed convolutions double them again (batch norm, ReLU, dropout in the first
    three), each joined with the encoder's features of the same size. The last one ends in a
    sigmoid, the mask. The estimate is the mask times the mixture. Any number of frames and bins is
    possible, as they are padded inside.

    The paper scales the magnitudes of a song to the range 0 to 1. Here the network sees the mixture
    divided by its largest magnitude, so masks do not depend on the level. Estimates have the level
    of the mixture. The paper does not say whether the last layer has a batch norm. Here it has a
    bias instead.

    Args:
        sources: names of the sources. Defaults to ("vocals",).
        sample_rate: in Hz. Defaults to 8192.
        channels: number of channels of the mixture. Defaults to 1.
        n_fft: FFT length in samples. Defaults to 1024.
        hop: samples between frames. Defaults to 768.
        window: analysis window. Defaults to "hann".
        filters: channels of the convolutions, from the finest to the coarsest level. The length of
            the list is the depth. Defaults to (16, 32, 64, 128, 256, 512).
        dropout: rate of the first three decoder blocks. Defaults to 0.5.
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
    from kerasep.models import UNetLike

    model = UNetLike(["vocals", "accompaniment"], 8000, n_fft=256, hop=64, filters=[4, 8])
    magnitude = np.random.rand(1, 21, 129, 1).astype("float32")
    assert model.predict_on_batch(magnitude).shape == (1, 21, 129, 1, 2)
    ```

    Reference:
        Jansson, Humphrey, Montecchio, Bittner, Kumar and Weyde 2017, "Singing voice separation with
        deep U-Net convolutional networks", ISMIR.
    """

    def __init__(
        self,
        sources: list[str] | tuple[str, ...] = ("vocals",),
        sample_rate: float = 8192,
        channels: int = 1,
        n_fft: int = 1024,
        hop: int = 768,
        window: str = "hann",
        filters: list[int] | tuple[int, ...] = (16, 32, 64, 128, 256, 512),
        dropout: float = 0.5,
        name: str = "unet_like",
    ) -> None:
        sources = check_signal(sources, sample_rate, channels)
        check_transform(n_fft, hop, window)
        filters = check_filters(filters)

        # Functional model
        mixture = keras.Input((None, n_fft // 2 + 1, channels), name="magnitude")
        scaled = to_unit_peak(mixture)
        masks = []
        for source in sources:
            x, skips = scaled, []
            for depth, count in enumerate(filters, 1):
                skips.append(x)
                x = EncoderBlock2D(count, name=f"{source}_down{depth}")(x)
            for depth in range(len(filters) - 1, 0, -1):
                x = DecoderBlock2D(
                    filters[depth - 1],
                    dropout=dropout if depth >= len(filters) - DROPPED else 0.0,
                    name=f"{source}_up{depth}",
                )(x, skips[depth])
            masks.append(
                DecoderBlock2D(
                    channels, join=None, norm=None, activation="sigmoid", name=f"{source}_mask"
                )(x, skips[0])
            )
        outputs = ApplyMask(name="source_magnitudes")(ops.stack(masks, axis=-1), mixture)
        super().__init__(mixture, outputs, name=name)

        self.stft = {"n_fft": n_fft, "hop": hop, "window": window}


def check_filters(filters):
    """Validate the channels of an encoder's convolutions; return them as a tuple."""
    if not isinstance(filters, list | tuple) or not filters or min(filters) < 1:
        raise InputError(
            f"received filters={filters!r}, expected a list of numbers of at least 1, one for each "
            f"convolution, such as [16, 32, 64]"
        )
    return tuple(filters)


def to_unit_peak(magnitude):
    """Divide each example by its largest magnitude; silence is unchanged."""
    peak = ops.max(magnitude, axis=(1, 2, 3), keepdims=True)
    return magnitude / ops.where(peak > 0, peak, 1.0)
