"""UL-UNAS: clean speech in real time, with a mask from a small network found by a search."""

import keras
from keras import layers as kl

from kerasep.errors import InputError
from kerasep.layers import (
    STFT,
    AffinePReLU,
    CausalConv2D,
    ChannelShuffle,
    ERBScale,
    FrequencyAttention,
    InverseERBScale,
    InverseSTFT,
    Magnitude,
    TemporalAttention,
)
from kerasep.models.separation_model import SeparationModel
from kerasep.models.speech_bands import LEAST, check_bands, dual_path, normalized, speech_and_rest

_FLOOR = 1e-12


@keras.saving.register_keras_serializable("kerasep")
class ULUNASLike(SeparationModel):
    """Ultra-lightweight U-Net: 0.15 million weights that clean speech.

    The logarithm of the spectrum's magnitude is merged into bands. Five blocks halve the bands
    twice, two dual-path blocks run grouped GRUs over bands and frames, and five mirrored blocks
    compute a mask from 0 to 1. Each block ends in attention over time and frequency. The blocks
    were found by a search: a plain convolution, two inverted bottlenecks and two depthwise
    separable convolutions in turn. The model is causal. What remains of the mixture is the noise.

    Args:
        sources: names of the speech and of what remains, or of the speech alone. Defaults to
            ("speech", "noise").
        sample_rate: in Hz. Defaults to 16000.
        channels: number of channels of the mixture. Defaults to 1.
        n_fft: FFT length in samples. Defaults to 512.
        hop: samples between frames. Defaults to 256.
        window: window of the transform. Defaults to "hann".
        low: number of bins that are kept as they are. Defaults to 65.
        bands: number of ERB bands that the other bins are merged into. Defaults to 64.
        filters: number of channels of the five blocks, even numbers, the last a multiple of 4.
            Defaults to (12, 24, 24, 32, 16).
        name: name of the model.

    Input shape:
        Waveform `(batch, samples, channels)`.

    Output shape:
        Source waveforms `(batch, samples, channels, sources)`.

    Raises:
        InputError: for arguments out of range.

    Example:
    ```python
    import numpy as np
    from kerasep.models import ULUNASLike

    model = ULUNASLike(filters=[4, 4, 4, 4, 4])
    waveform = np.random.randn(1, 4000, 1).astype("float32")
    assert model.predict_on_batch(waveform).shape == (1, 4000, 1, 2)
    ```

    Reference:
        Rong, Liu, Hu, Zhu and Lu 2025, "UL-UNAS: ultra-lightweight U-Nets for real-time speech
        enhancement via network architecture search".
    """

    domain = "waveform"

    def __init__(
        self,
        sources: list[str] | tuple[str, ...] = ("speech", "noise"),
        sample_rate: float = 16000,
        channels: int = 1,
        n_fft: int = 512,
        hop: int = 256,
        window: str = "hann",
        low: int = 65,
        bands: int = 64,
        filters: list[int] | tuple[int, ...] = (12, 24, 24, 32, 16),
        name: str = "ul_unas_like",
    ) -> None:
        sources = check_bands(sources, sample_rate, channels, n_fft, hop, window, low, bands)
        if len(filters) != len(BLOCKS):
            raise InputError(f"received filters={filters}, expected {len(BLOCKS)} numbers")
        bins = n_fft // 2 + 1

        # Functional model
        mixture = keras.Input((None, channels), name="mixture")
        spectrum = STFT(n_fft, hop, window, name="stft")(mixture)
        magnitude = Magnitude(name="magnitude")(spectrum)
        x = keras.ops.log10(keras.ops.maximum(magnitude, _FLOOR))
        x = ERBScale(sample_rate, low, bands, name="erb")(x)

        skips = []
        for index, (block, count) in enumerate(zip(BLOCKS, filters, strict=True)):
            x = block(x, count, f"encoder_{index}")
            skips.append(x)
        x = dual_path(x, "dual_path_0")
        x = dual_path(x, "dual_path_1")
        for index, block in enumerate(reversed(BLOCKS)):
            count = (channels, *filters)[len(BLOCKS) - 1 - index]
            x = kl.Add(name=f"decoder_{index}_skip")([x, skips.pop()])
            x = block(x, count, f"decoder_{index}", transposed=True, last=not skips)

        mask = kl.Activation("sigmoid", name="sigmoid")(x)
        mask = InverseERBScale(sample_rate, n_fft, low, name="inverse_erb")(mask)
        mask = kl.Reshape((-1, bins, channels, 1), name="mask", dtype="float32")(mask)
        clean = kl.Multiply(name="clean", dtype="float32")([mask, spectrum])
        speech = InverseSTFT(n_fft, hop, window, least=LEAST, name="istft")(clean, like=mixture)
        super().__init__(mixture, speech_and_rest(speech, mixture, sources), name=name)

        self.stft = {"n_fft": n_fft, "hop": hop, "window": window}
        self.latency = n_fft


def _attended(x, name):
    """Gate channels over time, and bands."""
    over_time = TemporalAttention(name=f"{name}_temporal")(x)
    over_bands = FrequencyAttention(4, name=f"{name}_frequency")(x)
    return kl.Multiply(name=f"{name}_attended")([x, over_time, over_bands])


def _convolution(x, filters, kernel_size, name, activation=True, **arguments):
    """Apply a convolution, batch normalisation and, by default, an activation."""
    x = CausalConv2D(filters, kernel_size, **arguments, name=f"{name}_conv")(x)
    x = normalized(x, name)
    return AffinePReLU(name=f"{name}_prelu")(x) if activation else x


def _plain(kernel_size, stride):
    """Return a block of one convolution."""

    def block(x, filters, name, transposed=False, last=False):
        x = _convolution(
            x, filters, kernel_size, name, not last, stride=stride, transposed=transposed
        )
        return _attended(x, name)

    return block


def _separable(kernel_size):
    """Return a block of a pointwise and a depthwise convolution."""

    def block(x, filters, name, transposed=False, last=False):
        x = _convolution(x, filters, (1, 1), f"{name}_point", groups=2)
        x = ChannelShuffle(2, name=f"{name}_shuffle")(x)
        depth = {"groups": filters, "transposed": transposed}
        return _attended(_convolution(x, filters, kernel_size, f"{name}_depth", **depth), name)

    return block


def _bottleneck(kernel_size, stride):
    """Return a block of a depthwise convolution between two pointwise ones."""

    def block(x, filters, name, transposed=False, last=False):
        y = _convolution(x, filters, (1, 1), f"{name}_point_1", groups=2)
        y = ChannelShuffle(2, name=f"{name}_shuffle_1")(y)
        depth = {"stride": stride, "groups": filters, "transposed": transposed}
        y = _convolution(y, filters, kernel_size, f"{name}_depth", **depth)
        y = _convolution(y, filters, (1, 1), f"{name}_point_2", activation=False, groups=2)
        y = _attended(y, name)
        if y.shape == x.shape:
            y = kl.Add(name=f"{name}_add")([y, x])
        return ChannelShuffle(2, name=f"{name}_shuffle_2")(y)

    return block


# The kernels are of frames and bands; the strides are over bands.
BLOCKS = (
    _plain((3, 3), stride=2),
    _bottleneck((2, 3), stride=2),
    _separable((2, 3)),
    _bottleneck((1, 5), stride=1),
    _separable((1, 5)),
)
