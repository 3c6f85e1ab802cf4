"""TasNet: masks on gated features of the waveform, from LSTM layers."""

import keras
from keras import layers as kl

from kerasep.errors import InputError
from kerasep.layers import GatedAnalysis, LearnedSynthesis, MaskHead, RecurrentStack
from kerasep.models.separation_model import SeparationModel, check_signal
from kerasep.ops import check_filterbank


@keras.saving.register_keras_serializable("kerasep")
class TasNetLike(SeparationModel):
    """The first TasNet: gated analysis of frames of unit level, LSTM layers, synthesis.

    The features are normalised frame by frame and pass the LSTM layers. A dense layer with a
    softmax over the sources computes the masks. After every second LSTM layer from the fourth on,
    the input of the pair is added. Frames do not overlap. All channels of a frame are analysed
    together.

    Its presets are trained on the signal-to-noise ratio. The scale-invariant ratio of the paper
    does not determine the level and sign of an estimate, so they would differ between the chunks of
    a long recording.

    Args:
        sources: names of the sources, two or more. Defaults to ("speaker_1", "speaker_2").
        sample_rate: in Hz. Defaults to 8000.
        channels: number of channels of the mixture. Defaults to 1.
        filters: number of filters of the analysis and the synthesis. Defaults to 500.
        kernel_size: length of a frame in samples. Defaults to 40.
        hidden: units of an LSTM layer. Each direction of a bidirectional layer has half of them.
            Defaults to 1000.
        lstm_layers: number of LSTM layers. Defaults to 4.
        bidirectional: whether LSTM layers also run backwards in time. If False, the model is
            causal. Defaults to True.
        interchangeable: whether any output may be any source, such as voices. Defaults to True.
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
    from kerasep.models import TasNetLike

    model = TasNetLike(filters=32, hidden=16, lstm_layers=2)
    waveform = np.random.randn(1, 1003, 1).astype("float32")
    assert model.predict_on_batch(waveform).shape == (1, 1003, 1, 2)
    ```

    Reference:
        Luo and Mesgarani 2018, "TasNet: time-domain audio separation network for real-time,
        single-channel speech separation".
    """

    domain = "waveform"

    def __init__(
        self,
        sources: list[str] | tuple[str, ...] = ("speaker_1", "speaker_2"),
        sample_rate: float = 8000,
        channels: int = 1,
        filters: int = 500,
        kernel_size: int = 40,
        hidden: int = 1000,
        lstm_layers: int = 4,
        bidirectional: bool = True,
        interchangeable: bool = True,
        name: str = "tasnet_like",
    ) -> None:
        sources = check_signal(sources, sample_rate, channels, least=2)
        check_filterbank(filters, kernel_size, kernel_size)
        if lstm_layers < 1:
            raise InputError(f"received lstm_layers={lstm_layers}, expected at least 1")
        if hidden < 1 or (bidirectional and hidden % 2):
            raise InputError(
                f"received hidden={hidden}, expected 1 or more, and an even number if "
                f"bidirectional: each direction has half of them"
            )
        units = hidden // 2 if bidirectional else hidden

        # Functional model
        mixture = keras.Input((None, channels), name="mixture")
        # The samples of all channels in one row, so that a frame contains all channels.
        row = kl.Reshape((-1, 1), name="row", dtype="float32")(mixture)
        features, level = GatedAnalysis(filters, kernel_size * channels, name="encoder")(row)
        x = kl.Reshape((-1, filters), name="frames", dtype="float32")(features)
        x = kl.LayerNormalization(epsilon=1e-8, name="norm")(x)
        for start in range(0, lstm_layers, 2):
            layers = min(2, lstm_layers - start)
            y = RecurrentStack(units, layers, bidirectional, name=f"lstm_{start}")(x)
            x = kl.Add(name=f"skip_{start}")([x, y]) if start else y
        masks = MaskHead(filters, 1, len(sources), "softmax", name="masks")(x)
        # The level is restored before the synthesis, as each frame has its own.
        levelled = kl.Multiply(name="levelled", dtype="float32")([features, level])
        levelled = kl.Reshape((-1, filters, 1, 1), name="each", dtype="float32")(levelled)
        masked = kl.Multiply(name="masked", dtype="float32")([masks, levelled])
        size = kernel_size * channels
        rows = LearnedSynthesis(size, size, name="decoder")(masked, row)
        outputs = kl.Reshape((-1, channels, len(sources)), name="sources", dtype="float32")(rows)
        super().__init__(mixture, outputs, name=name)

        self.latency = None if bidirectional else kernel_size
