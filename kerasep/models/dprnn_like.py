"""DPRNN: masks on learned features of the waveform, from LSTMs along and across chunks."""

import keras
from keras import layers as kl

from kerasep.layers import DualPathNet, LearnedAnalysis, LearnedSynthesis
from kerasep.models.separation_model import SeparationModel, check_activation, check_signal
from kerasep.ops import check_filterbank


@keras.saving.register_keras_serializable("kerasep")
class DPRNNLike(SeparationModel):
    """Dual-path RNN: analysis by learned filters, a dual-path network, synthesis.

    The dual-path network computes one sequence per source. A gate (tanh times sigmoid) and a dense
    layer, the same for all sources, turn it into a mask. All channels of a frame are analysed
    together. Samples at the end that do not fill a frame are not seen and become zeros, as in the
    published implementation. Append zeros if the last millisecond counts.

    Its presets are trained on the signal-to-noise ratio. The scale-invariant ratio of the paper
    does not determine the level and sign of an estimate, so they would differ between the chunks of
    a long recording.

    Args:
        sources: names of the sources. Defaults to ("speaker_1", "speaker_2").
        sample_rate: in Hz. Defaults to 8000.
        channels: number of channels of the mixture. Defaults to 1.
        filters: number of filters of the analysis and the synthesis. Defaults to 64.
        kernel_size: length of the filters in samples. Defaults to 16.
        hop: samples between frames. Defaults to 8.
        encoder_activation: activation of the features, "linear" or "relu". Defaults to "linear".
        bottleneck: features between blocks. Defaults to 128.
        hidden: units of each direction of an LSTM. Defaults to 128.
        chunk: frames in a chunk. Defaults to 100.
        chunk_hop: frames between chunks. Defaults to half a chunk.
        blocks: number of pairs of LSTMs. Defaults to 6.
        norm: "global", "layer" or "batch": see `kerasep.layers.DualPathNet`. Defaults to "global".
        bidirectional: whether the LSTMs across chunks run in both directions. If False, and with
            another norm than "global", the model is causal up to one chunk. Defaults to True.
        mask_activation: "relu", "sigmoid", "tanh", "softmax" (over the sources) or any other of
            `keras.activations`. Defaults to "sigmoid".
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
    from kerasep.models import DPRNNLike

    model = DPRNNLike(filters=16, bottleneck=8, hidden=8, chunk=20, blocks=1)
    waveform = np.random.randn(1, 1003, 1).astype("float32")
    assert model.predict_on_batch(waveform).shape == (1, 1003, 1, 2)
    ```

    Reference:
        Luo, Chen and Yoshioka 2020, "Dual-path RNN: efficient long sequence modeling for
        time-domain single-channel speech separation".
    """

    domain = "waveform"

    def __init__(
        self,
        sources: list[str] | tuple[str, ...] = ("speaker_1", "speaker_2"),
        sample_rate: float = 8000,
        channels: int = 1,
        filters: int = 64,
        kernel_size: int = 16,
        hop: int = 8,
        encoder_activation: str = "linear",
        bottleneck: int = 128,
        hidden: int = 128,
        chunk: int = 100,
        chunk_hop: int | None = None,
        blocks: int = 6,
        norm: str = "global",
        bidirectional: bool = True,
        mask_activation: str = "sigmoid",
        interchangeable: bool = True,
        name: str = "dprnn_like",
    ) -> None:
        sources = check_signal(sources, sample_rate, channels)
        check_activation(encoder_activation=encoder_activation, mask_activation=mask_activation)
        check_filterbank(filters, kernel_size, hop)
        count = len(sources)

        # Functional model
        mixture = keras.Input((None, channels), name="mixture")
        # The samples of all channels in one row, so that a frame contains all channels.
        row = kl.Reshape((-1, 1), name="row", dtype="float32")(mixture)
        frame = (kernel_size * channels, hop * channels)
        # Remaining samples at the end are not seen.
        features = LearnedAnalysis(filters, *frame, encoder_activation, fill=False, name="encoder")(
            row
        )
        x = kl.Reshape((-1, filters), name="frames", dtype="float32")(features)
        x = DualPathNet(
            bottleneck * count,
            chunk,
            chunk_hop,
            blocks,
            bottleneck,
            hidden,
            norm,
            bidirectional,
            name="separator",
        )(x)
        x = kl.Reshape((-1, count, bottleneck), name="by_source")(x)
        value = kl.Dense(bottleneck, activation="tanh", name="value")(x)
        gate = kl.Dense(bottleneck, activation="sigmoid", name="gate")(x)
        x = kl.Multiply(name="gated")([value, gate])
        x = kl.Dense(filters, use_bias=False, name="mask_dense")(x)
        x = kl.Permute((1, 3, 2), name="sources_last", dtype="float32")(x)
        masks = kl.Activation(mask_activation, name="masks", dtype="float32")(x)
        masked = kl.Multiply(name="masked", dtype="float32")([masks, features])
        masked = kl.Reshape((-1, filters, 1, len(sources)), name="apart", dtype="float32")(masked)
        rows = LearnedSynthesis(*frame, name="decoder")(masked, row)
        outputs = kl.Reshape((-1, channels, len(sources)), name="sources", dtype="float32")(rows)
        super().__init__(mixture, outputs, name=name)

        if not bidirectional and norm != "global":
            self.latency = kernel_size + (chunk - 1) * hop
