"""GTCRN: clean speech in real time, with a complex mask from a tiny recurrent network."""

import keras
from keras import layers as kl

from kerasep.layers import (
    STFT,
    ApplyComplexMask,
    CausalConv2D,
    ChannelShuffle,
    ERBScale,
    InverseERBScale,
    InverseSTFT,
    Magnitude,
    SubbandFeatures,
    TemporalAttention,
)
from kerasep.models.separation_model import SeparationModel
from kerasep.models.speech_bands import LEAST, check_bands, dual_path, normalized, speech_and_rest


@keras.saving.register_keras_serializable("kerasep")
class GTCRNLike(SeparationModel):
    """Grouped temporal convolutional recurrent network: 24 thousand weights that clean speech.

    The spectrum's magnitude, real and imaginary part are merged into bands. Two convolutions halve
    the bands twice, blocks of dilated convolutions look back in time, and grouped recurrent layers
    run over the bands of each frame and over the frames of each band. A mirrored decoder computes
    a complex mask. The model is causal. What remains of the mixture is the noise.

    Args:
        sources: names of the speech and of what remains, or of the speech alone. Defaults to
            ("speech", "noise").
        sample_rate: in Hz. Defaults to 16000.
        channels: number of channels of the mixture. Defaults to 1.
        n_fft: FFT length in samples. Defaults to 512.
        hop: samples between frames. Defaults to 256.
        window: window of the transform. Defaults to "sqrt_hann".
        low: number of bins that are kept as they are. Defaults to 65.
        bands: number of ERB bands that the other bins are merged into. Defaults to 64.
        filters: number of channels inside the network, a multiple of 4. Defaults to 16.
        dilations: distances of the frames that the blocks see, one per block of the encoder.
            Defaults to (1, 2, 5).
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
    from kerasep.models import GTCRNLike

    model = GTCRNLike(filters=4, dilations=[1])
    waveform = np.random.randn(1, 4000, 1).astype("float32")
    assert model.predict_on_batch(waveform).shape == (1, 4000, 1, 2)
    ```

    Reference:
        Rong, Sun, Zhang, Hu, Zhu and Lu 2024, "GTCRN: a speech enhancement model requiring
        ultralow computational resources", ICASSP.
    """

    domain = "waveform"

    def __init__(
        self,
        sources: list[str] | tuple[str, ...] = ("speech", "noise"),
        sample_rate: float = 16000,
        channels: int = 1,
        n_fft: int = 512,
        hop: int = 256,
        window: str = "sqrt_hann",
        low: int = 65,
        bands: int = 64,
        filters: int = 16,
        dilations: list[int] | tuple[int, ...] = (1, 2, 5),
        name: str = "gtcrn_like",
    ) -> None:
        sources = check_bands(sources, sample_rate, channels, n_fft, hop, window, low, bands)
        bins = n_fft // 2 + 1

        # Functional model
        mixture = keras.Input((None, channels), name="mixture")
        spectrum = STFT(n_fft, hop, window, name="stft")(mixture)
        x = ERBScale(sample_rate, low, bands, name="erb")(_features(spectrum, bins, channels))
        x = SubbandFeatures(3, name="subbands")(x)

        # Encoder
        x = _convolution(x, filters, (1, 5), "encoder_0", stride=2)
        skips = [x]
        x = _convolution(x, filters, (1, 5), "encoder_1", stride=2, groups=2)
        skips.append(x)
        for index, dilation in enumerate(dilations, start=2):
            x = _block(x, filters, dilation, f"encoder_{index}")
            skips.append(x)

        x = dual_path(x, "dual_path_0")
        x = dual_path(x, "dual_path_1")

        # Decoder
        index = 0
        for index, dilation in enumerate(reversed(dilations), start=1):
            x = kl.Add(name=f"decoder_{index - 1}_skip")([x, skips.pop()])
            x = _block(x, filters, dilation, f"decoder_{index - 1}")
        wide = {"stride": 2, "transposed": True}
        x = kl.Add(name=f"decoder_{index}_skip")([x, skips.pop()])
        x = _convolution(x, filters, (1, 5), f"decoder_{index}", groups=2, **wide)
        x = kl.Add(name=f"decoder_{index + 1}_skip")([x, skips.pop()])
        mask = _convolution(
            x, 2 * channels, (1, 5), f"decoder_{index + 1}", activation="tanh", **wide
        )

        mask = InverseERBScale(sample_rate, n_fft, low, name="inverse_erb")(mask)
        mask = kl.Reshape((-1, bins, channels, 2), name="mask", dtype="float32")(mask)
        clean = ApplyComplexMask(name="clean")(mask, spectrum)
        speech = InverseSTFT(n_fft, hop, window, least=LEAST, name="istft")(clean, like=mixture)
        super().__init__(mixture, speech_and_rest(speech, mixture, sources), name=name)

        self.stft = {"n_fft": n_fft, "hop": hop, "window": window}
        self.latency = n_fft


def _features(spectrum, bins, channels):
    """Return magnitude, real and imaginary parts `(batch, frames, bins, 3 * channels)`."""
    parts = kl.Permute((1, 2, 4, 3), name="parts_first", dtype="float32")(spectrum)
    parts = kl.Reshape((-1, bins, 2 * channels), name="parts", dtype="float32")(parts)
    magnitude = Magnitude(name="magnitude")(spectrum)
    return kl.Concatenate(name="features", dtype="float32")([magnitude, parts])


def _convolution(x, filters, kernel_size, name, activation="prelu", **arguments):
    """Apply a convolution, batch normalisation and an activation."""
    x = CausalConv2D(filters, kernel_size, **arguments, name=f"{name}_conv")(x)
    x = normalized(x, name)
    if activation == "prelu":
        slope = keras.initializers.Constant(0.25)
        return kl.PReLU(slope, shared_axes=[1, 2, 3], name=f"{name}_prelu")(x)
    return kl.Activation(activation, name=f"{name}_{activation}")(x)


def _block(x, filters, dilation, name):
    """Convolve half of the channels over time, gate it, and interleave it with the other half."""
    half, kept = keras.ops.split(x, 2, axis=-1)
    y = SubbandFeatures(3, name=f"{name}_subbands")(half)
    y = _convolution(y, filters, (1, 1), f"{name}_point_1")
    y = _convolution(y, filters, (3, 3), f"{name}_depth", dilation=dilation, groups=filters)
    y = _convolution(y, filters // 2, (1, 1), f"{name}_point_2", activation="linear")
    gates = TemporalAttention(name=f"{name}_attention")(y)
    y = kl.Multiply(name=f"{name}_gated")([y, gates])
    y = kl.Concatenate(name=f"{name}_halves")([y, kept])
    return ChannelShuffle(2, name=f"{name}_shuffle")(y)
