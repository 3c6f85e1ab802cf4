"""HS-TasNet: masks on a spectrum and on learned features at once, in real time."""

import math

import keras
from keras import layers as kl

from kerasep.errors import InputError
from kerasep.layers import STFT, InverseSTFT, LearnedAnalysis, LearnedSynthesis, RecurrentStack
from kerasep.models.separation_model import SeparationModel, check_signal
from kerasep.ops import check_filterbank

# Those of `torch.nn.RMSNorm`.
_EPSILON = 1.1920929e-07
# The masks start near 1. With kernels of zeros, no other layer would learn in the first step.
_NEAR_ZERO = {"class_name": "RandomNormal", "config": {"stddev": 1e-3}}


@keras.saving.register_keras_serializable("kerasep")
class HSTasNetLike(SeparationModel):
    """Hybrid spectrogram TasNet: two branches of LSTM layers that share what they hear.

    One branch reads the real and imaginary parts of the spectrum, the other gated features of a
    learned filterbank. Both see frames that overlap by half. Each branch has an LSTM stack, a
    common stack follows, and another one per branch. A mask for every source then scales the real
    and imaginary parts, which are numbers of their own here, and the features. Both inverses are
    summed.

    The model is causal: a frame of `kernel_size` samples is all that it waits for, 23 ms in the
    default settings. A hop of silence precedes the waveform and follows it, so that every sample is
    in two frames.

    The published code has a bias in the decoder that it never adds. There is none here.

    Args:
        sources: names of the sources. Defaults to ("drums", "bass", "vocals", "other").
        sample_rate: in Hz. Defaults to 44100.
        channels: number of channels of the mixture. Defaults to 2.
        kernel_size: length of a frame in samples, an even number. Defaults to 1024.
        filters: features of the learned filterbank. Defaults to 1500.
        units: units of the LSTM layers of a branch. Defaults to 500.
        small: whether all stacks have one LSTM layer instead of two and nothing is added to their
            output, and the common stack reads the sum of the branches instead of both side by side.
            Defaults to False.
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
    from kerasep.models import HSTasNetLike

    model = HSTasNetLike(kernel_size=64, filters=16, units=8)
    waveform = np.random.randn(1, 1003, 2).astype("float32")
    assert model.predict_on_batch(waveform).shape == (1, 1003, 2, 4)
    ```

    Reference:
        Venkatesh, Benilov, Coleman and Roskam 2024, "Real-time low-latency music source separation
        using hybrid spectrogram-TasNet", ICASSP.
    """

    domain = "waveform"

    def __init__(
        self,
        sources: list[str] | tuple[str, ...] = ("drums", "bass", "vocals", "other"),
        sample_rate: float = 44100,
        channels: int = 2,
        kernel_size: int = 1024,
        filters: int = 1500,
        units: int = 500,
        small: bool = False,
        name: str = "hs_tasnet_like",
    ) -> None:
        sources = check_signal(sources, sample_rate, channels)
        check_filterbank(filters, kernel_size, kernel_size)
        if kernel_size < 2 or kernel_size % 2 or units < 1:
            raise InputError(
                f"received kernel_size={kernel_size}, units={units}, expected an even kernel size "
                f"and at least 1 unit"
            )
        hop, bins, count = kernel_size // 2, kernel_size // 2 + 1, len(sources)

        def stack(x, units, name):
            y = RecurrentStack(units, 1 if small else 2, bidirectional=False, name=name)(x)
            return y if small else kl.Add(name=f"{name}_skip")([x, y])

        def masks(x, shape, name):
            x = kl.RMSNormalization(epsilon=_EPSILON, name=f"{name}_norm")(x)
            size = math.prod(shape)
            x = kl.Dense(size, kernel_initializer=_NEAR_ZERO, bias_initializer="ones", name=name)(x)
            return kl.Reshape((-1, *shape), name=f"{name}_each", dtype="float32")(x)

        # Functional model
        mixture = keras.Input((None, channels), name="mixture")
        begun = kl.ZeroPadding1D((hop, 0), name="before", dtype="float32")(mixture)
        # The last hop of the mixture may be a part of one.
        padded = kl.ZeroPadding1D((0, 2 * hop - 1), name="after", dtype="float32")(begun)
        spectrum = STFT(kernel_size, hop, center=False, name="stft")(padded)
        parts = kl.Reshape((-1, bins * channels * 2), name="parts", dtype="float32")(spectrum)
        # The samples of all channels in one row, so that a frame contains all channels.
        row = kl.Reshape((-1, 1), name="row", dtype="float32")(padded)
        frame = (kernel_size * channels, hop * channels)
        x = LearnedAnalysis(2 * filters, *frame, fill=False, use_bias=True, name="encoder")(row)
        x = kl.Reshape((-1, 2 * filters), name="frames", dtype="float32")(x)
        values, gates = keras.ops.split(x, 2, axis=-1)
        features = kl.Multiply(name="features", dtype="float32")(
            [keras.ops.relu(values), keras.ops.sigmoid(gates)]
        )

        encoded = {
            "spectrum": kl.Dense(units, name="spectrum_dense")(parts),
            "features": kl.Dense(units, name="features_dense")(features),
        }
        branches = [stack(x, units, f"{name}_lstm") for name, x in encoded.items()]
        if small:
            common = stack(kl.Add(name="both")(branches), units, "common_lstm")
            shares = [common, common]
        else:
            both = kl.Concatenate(name="both")(branches)
            shares = keras.ops.split(stack(both, 2 * units, "common_lstm"), 2, axis=-1)
        spectrum_branch, features_branch = (
            stack(kl.Add(name=f"{name}_sum")([share, x]), units, f"{name}_second_lstm")
            for share, (name, x) in zip(shares, encoded.items(), strict=True)
        )

        factors = masks(spectrum_branch, (bins, channels, count, 2), "mask_spectrum")
        masked = factors * spectrum[..., None, :]
        masked = kl.Reshape((-1, bins, channels * count, 2), name="spectra", dtype="float32")(
            masked
        )
        from_spectrum = InverseSTFT(kernel_size, hop, center=False, name="inverse_stft")(
            masked, begun
        )
        from_spectrum = kl.Reshape((-1, channels, count), name="apart", dtype="float32")(
            from_spectrum
        )
        factors = masks(features_branch, (filters, 1, count), "mask_features")
        masked = factors * features[..., None, None]
        # Every channel has its own filters.
        from_features = [
            LearnedSynthesis(kernel_size, hop, window="hann", name=f"decoder_{channel}")(
                masked, begun
            )
            for channel in range(channels)
        ]
        outputs = from_spectrum + keras.ops.concatenate(from_features, axis=2)
        outputs = kl.Reshape((-1, channels * count), name="joined", dtype="float32")(outputs)
        outputs = kl.Cropping1D((hop, 0), name="cut", dtype="float32")(outputs)
        outputs = kl.Reshape((-1, channels, count), name="sources", dtype="float32")(outputs)
        super().__init__(mixture, outputs, name=name)

        self.latency = kernel_size
