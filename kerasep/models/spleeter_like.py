"""Spleeter: one U-Net per stem; separation uses the ratios of their squared outputs."""

import keras
from keras import layers as kl
from keras import ops

from kerasep.errors import InputError
from kerasep.layers import ApplyMask, DecoderBlock2D, EncoderBlock2D, JoinChunks, SplitChunks
from kerasep.models.open_unmix_like import bins_below
from kerasep.models.separation_model import SeparationModel, check_signal
from kerasep.models.unet_like import DROPPED, check_filters
from kerasep.ops import apply_mask, check_chunks, check_transform
from kerasep.system.types import Tensor

# The decoder's activation for each of the encoder's.
ACTIVATIONS = {"leaky_relu": "relu", "elu": "elu"}
MASKS = ("sigmoid", "softmax")
EXTENSIONS = ("zeros", "average")
EPSILON = 1e-10


@keras.saving.register_keras_serializable("kerasep")
class SpleeterLike(SeparationModel):
    """Spleeter as published: one U-Net per stem, trained alone or, with a softmax, together.

    It differs from `UNetLike` in details that its weights need. A skip takes the output of a
    convolution before its batch norm. The decoder starts from the output of the last convolution,
    and its activations come before its norms. A final dilated 4x4 convolution computes the mask.
    The magnitudes are not scaled. The outputs, which are trained, are the masks times the mixture.
    `estimate`, which separation uses, squares the outputs. Each source gets its share of the sum of
    the squares, times the mixture.

    `exact` switches Spleeter's other habits on. Then the networks see only the bins below `max_hz`,
    in independent segments of `segment` frames, the last one padded with zeros. The bins above are
    silent, or get the mean of the frame's mask. Without `exact` the same weights see all bins, of
    any number of frames in one piece.

    Two differences concern the transform around the model. Spleeter's waveform starts with a frame
    of zeros. Here frames are centred, and the model adds the zeros in front (`n_fft / 2 / hop`
    frames, of which Spleeter sees the last one fade in). Beyond the ends Spleeter has zeros, and a
    centred frame sees the mirrored waveform. So the first and the last segment differ from
    Spleeter's unless the recording begins and ends in silence (on noise, and with random weights,
    by 19 to 31 dB below the signal). All segments between agree (to 120 dB). Spleeter's factor of
    2/3 compensates two Hann windows that overlap by three quarters; here the inverse transform does
    it. `kerasep.separate` cuts long recordings into chunks, and each of them begins a segment.
    Spleeter's segments continue for up to 10 minutes.

    Two of its habits are not kept. Its convolutions are initialised by He's uniform distribution.
    And in training its dropout is off and its batch norms keep their initial mean 0 and variance 1,
    as they never receive the training flag. Here both work.

    Args:
        sources: names of the stems. Defaults to ("vocals", "accompaniment").
        sample_rate: in Hz. Defaults to 44100.
        channels: number of channels of the mixture. Defaults to 2.
        n_fft: FFT length in samples. Defaults to 4096.
        hop: samples between frames. Defaults to 1024.
        window: analysis window. Defaults to "hann".
        filters: channels of the convolutions, from the finest to the coarsest level. Defaults to
            (16, 32, 64, 128, 256, 512).
        activation: "leaky_relu" for leaky ReLU of slope 0.2 in the encoder and ReLU in the decoder,
            as with 2 stems; "elu" for ELU in both. Defaults to "leaky_relu".
        mask: "sigmoid" for an independent mask for each stem; "softmax" for masks that sum to one,
            as with 5 stems. Defaults to "sigmoid".
        exact: whether to split the input and to limit its bandwidth like Spleeter. Defaults to
            True.
        max_hz: if exact, the highest frequency that the networks see; None for all. Defaults to
            11020, which gives 1024 bins. 16530 gives 1536 bins, Spleeter's other choice.
        extension: if exact, the masks of the bins above: "zeros", or "average" for the mean of the
            frame's mask. Defaults to "zeros".
        segment: if exact, frames of a segment. Defaults to 512.
        dropout: rate of the first three decoder blocks. Defaults to 0.5.
        name: name of the model.

    Input shape:
        Magnitude `(batch, frames, n_fft / 2 + 1, channels)`.

    Output shape:
        Source magnitudes `(batch, frames, n_fft / 2 + 1, channels, sources)`.

    Raises:
        InputError: for arguments out of range, or a softmax over one stem.

    Example:
    ```python
    import keras
    import numpy as np
    from kerasep.models import SpleeterLike

    model = SpleeterLike(n_fft=256, hop=64, filters=[4, 8], max_hz=None, segment=16)
    magnitude = np.random.rand(1, 21, 129, 2).astype("float32")
    shares = model.estimate(magnitude)
    total = keras.ops.convert_to_numpy(shares).sum(axis=-1)
    np.testing.assert_allclose(total, magnitude, rtol=1e-4)
    ```

    Reference:
        Hennequin, Khlif, Voituret and Moussallam 2020, "Spleeter: a fast and efficient music source
        separation tool with pre-trained models", JOSS 5(50).
    """

    def __init__(
        self,
        sources: list[str] | tuple[str, ...] = ("vocals", "accompaniment"),
        sample_rate: float = 44100,
        channels: int = 2,
        n_fft: int = 4096,
        hop: int = 1024,
        window: str = "hann",
        filters: list[int] | tuple[int, ...] = (16, 32, 64, 128, 256, 512),
        activation: str = "leaky_relu",
        mask: str = "sigmoid",
        exact: bool = True,
        max_hz: float | None = 11020,
        extension: str = "zeros",
        segment: int = 512,
        dropout: float = 0.5,
        name: str = "spleeter_like",
    ) -> None:
        sources = check_signal(sources, sample_rate, channels)
        check_transform(n_fft, hop, window)
        filters = check_filters(filters)
        check_chunks(segment, 0)
        _check_choices(activation, mask, extension, dropout, len(sources))
        bins = n_fft // 2 + 1
        seen = bins_below(max_hz if exact else None, n_fft, sample_rate)
        lead = n_fft // 2 // hop

        def network(x, source):
            """Compute the logits of a stem's mask."""
            fine = [x]
            for depth, count in enumerate(filters, 1):
                name = f"{source}_conv{depth}"
                conv = EncoderBlock2D(count, norm=None, activation=None, name=name)(x)
                fine.append(conv)
                if depth < len(filters):
                    x = kl.BatchNormalization(name=f"{name}_norm")(conv)
                    x = kl.Activation(activation, name=f"{name}_activation")(x)
            x = conv
            for depth in range(len(filters), 0, -1):
                name = f"{source}_up{depth}"
                count = filters[depth - 2] if depth > 1 else 1
                x = DecoderBlock2D(
                    count, join=None, norm=None, activation=ACTIVATIONS[activation], name=name
                )(x, fine[depth - 1])
                x = kl.BatchNormalization(name=f"{name}_norm")(x)
                if depth > max(1, len(filters) - DROPPED):
                    x = kl.Dropout(dropout, name=f"{name}_dropout")(x)
                if depth > 1:
                    x = kl.Concatenate(name=f"{name}_skip")([fine[depth - 1], x])
            return kl.Conv2D(channels, 4, dilation_rate=2, padding="same", name=f"{source}_mask")(x)

        # Functional model
        mixture = keras.Input((None, bins, channels), name="magnitude")
        x = mixture
        if exact:
            padded = kl.ZeroPadding2D(((lead, 0), (0, 0)), name="lead")(mixture[:, :, :seen])
            x = SplitChunks(segment, name="segments")(padded)
        logits = ops.stack([network(x, source) for source in sources], axis=-1)
        masks = kl.Activation(mask, name="masks", dtype="float32")(logits)
        outputs = ApplyMask(name="source_magnitudes")(masks, x)
        if exact:
            outputs = JoinChunks(name="joined")(outputs, like=padded)[:, lead:]
            outputs = ops.pad(outputs, [[0, 0], [0, 0], [0, bins - seen], [0, 0], [0, 0]])
        super().__init__(mixture, outputs, name=name)

        self.stft = {"n_fft": n_fft, "hop": hop, "window": window}
        self.seen = seen

    def estimate(self, mixture: Tensor) -> Tensor:
        """Return the mixture, divided among the stems by the squares of the outputs."""
        outputs = self(mixture)
        if len(self.sources) == 1:
            return outputs
        squares = ops.square(outputs[:, :, : self.seen])
        total = ops.sum(squares, axis=-1, keepdims=True) + EPSILON
        shares = (squares + EPSILON / len(self.sources)) / total
        unseen = mixture.shape[2] - self.seen
        if unseen and self.extension == "average":
            mean = ops.mean(shares, axis=2, keepdims=True)
            shares = ops.concatenate([shares, ops.repeat(mean, unseen, axis=2)], axis=2)
        elif unseen:
            shares = ops.pad(shares, [[0, 0], [0, 0], [0, unseen], [0, 0], [0, 0]])
        return apply_mask(shares, mixture)


def _check_choices(activation, mask, extension, dropout, count):
    """Validate names, dropout, and that a softmax has two sources."""
    choices = {
        "activation": (activation, ACTIVATIONS),
        "mask": (mask, MASKS),
        "extension": (extension, EXTENSIONS),
    }
    for argument, (received, known) in choices.items():
        if received not in known:
            raise InputError(
                f"received {argument}={received!r}, expected one of {', '.join(known)}"
            )
    if not 0 <= dropout < 1:
        raise InputError(f"received dropout={dropout}, expected 0 to below 1")
    if mask == "softmax" and count == 1:
        raise InputError("received mask='softmax' for one source, expected two or more to share")
