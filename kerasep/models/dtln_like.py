"""DTLN: a mask on the spectrum, then a mask on learned features, from LSTM layers in real time."""

import keras
from keras import layers as kl

from kerasep.errors import InputError
from kerasep.layers import STFT, InverseFFT, LearnedSynthesis, Magnitude, MaskHead, RecurrentStack
from kerasep.models.separation_model import SeparationModel, check_signal
from kerasep.ops import check_filterbank, check_transform


@keras.saving.register_keras_serializable("kerasep")
class DTLNLike(SeparationModel):
    """The dual-signal transformation LSTM network: speech, and what remains of the mixture.

    Two networks follow each other, each with two LSTM layers, a dense layer and a sigmoid. The
    first one computes a mask from the magnitude of a frame, which is multiplied by the frame's
    spectrum. The frame is transformed back and analysed by learned filters. The second network
    computes a mask on these features, from the normalised features. Learned synthesis filters turn
    the masked features into frames, which are added up.

    Frames have no window and no padding, but for zeros that fill up the last one. So the first and
    the last `frame - hop` samples are in fewer frames than the others. The authors evaluate
    recordings with `frame - hop` zeros in front and behind. All channels of a frame are analysed
    together.

    The recipe's loss is the mean of the signal-to-noise ratios of both sources. As both have the
    same error, its gradient is that of the authors' loss, the ratio of speech alone.

    Args:
        sources: two names, of the speech and of what remains. Defaults to ("speech", "noise").
        sample_rate: in Hz. Defaults to 16000.
        channels: number of channels of the mixture. Defaults to 1.
        frame: length of a frame in samples, an even number. Defaults to 512.
        hop: samples between frames. Defaults to 128.
        filters: number of learned filters. Defaults to 256.
        units: units of an LSTM layer. Defaults to 128.
        dropout: rate between LSTM layers. Defaults to 0.25.
        normalized: whether the first network sees the logarithm of the magnitude, normalised frame
            by frame. It is then independent of the level. Defaults to False.
        name: name of the model.

    Input shape:
        Waveform `(batch, samples, channels)`.

    Output shape:
        Source waveforms `(batch, samples, channels, 2)`, whose sum is the mixture.

    Raises:
        InputError: for arguments out of range.

    Example:
    ```python
    import numpy as np
    from kerasep.models import DTLNLike

    model = DTLNLike(frame=64, hop=16, filters=32, units=8)
    waveform = np.random.randn(1, 1000, 1).astype("float32")
    estimates = model.predict_on_batch(waveform)
    assert estimates.shape == (1, 1000, 1, 2)
    assert np.allclose(estimates.sum(axis=-1), waveform, atol=1e-5)
    ```

    Reference:
        Westhausen and Meyer 2020, "Dual-signal transformation LSTM network for real-time noise
        suppression", Interspeech.
    """

    domain = "waveform"

    def __init__(
        self,
        sources: list[str] | tuple[str, ...] = ("speech", "noise"),
        sample_rate: float = 16000,
        channels: int = 1,
        frame: int = 512,
        hop: int = 128,
        filters: int = 256,
        units: int = 128,
        dropout: float = 0.25,
        normalized: bool = False,
        name: str = "dtln_like",
    ) -> None:
        sources = check_signal(sources, sample_rate, channels, least=2)
        if len(sources) != 2:
            raise InputError(
                f"received sources={list(sources)}, expected two: the speech, and what remains"
            )
        check_transform(frame, hop)
        check_filterbank(filters, frame, hop)
        bins = frame // 2 + 1

        def mask(x, size, channels, name):
            """Return a mask `(batch, frames, size, channels, 1)` from features of each frame."""
            x = RecurrentStack(units, 2, False, dropout, name=f"{name}_lstm")(x)
            return MaskHead(size, channels, 1, name=f"mask_{name}")(x)

        # Functional model
        mixture = keras.Input((None, channels), name="mixture")
        spectrum = STFT(frame, hop, "rectangular", False, fill=True, name="stft")(mixture)
        magnitude = Magnitude(name="magnitude")(spectrum)
        x = kl.Reshape((-1, bins * channels), name="bins", dtype="float32")(magnitude)
        if normalized:
            x = keras.ops.log(x + 1e-7)
            x = kl.LayerNormalization(epsilon=1e-7, name="spectrum_norm")(x)
        by_bin = mask(x, bins, channels, "spectrum")
        masked = kl.Multiply(name="masked_spectrum", dtype="float32")([by_bin, spectrum])

        frames = InverseFFT(frame, name="inverse_fft")(masked)
        frames = kl.Reshape((-1, frame * channels), name="frames", dtype="float32")(frames)
        features = kl.Dense(filters, use_bias=False, name="analysis", dtype="float32")(frames)
        x = kl.LayerNormalization(epsilon=1e-7, name="features_norm")(features)
        by_filter = mask(x, filters, 1, "features")
        features = kl.Reshape((-1, filters, 1, 1), name="features", dtype="float32")(features)
        masked = kl.Multiply(name="masked_features", dtype="float32")([by_filter, features])

        # The samples of all channels in one row, as they are in a frame.
        row = kl.Reshape((-1, 1), name="row", dtype="float32")(mixture)
        speech = LearnedSynthesis(frame * channels, hop * channels, name="synthesis")(masked, row)
        speech = kl.Reshape((-1, channels, 1), name="speech", dtype="float32")(speech)
        rest = kl.Subtract(name="rest", dtype="float32")([mixture[..., None], speech])
        outputs = kl.Concatenate(name="estimates", dtype="float32")([speech, rest])
        super().__init__(mixture, outputs, name=name)

        self.latency = frame
