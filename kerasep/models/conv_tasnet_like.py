"""Conv-TasNet: masks on learned features of the waveform, from dilated convolutions."""

import keras
from keras import layers as kl

from kerasep.layers import LearnedAnalysis, LearnedSynthesis, TemporalConvNet
from kerasep.models.separation_model import SeparationModel, check_activation, check_signal
from kerasep.ops import check_filterbank


@keras.saving.register_keras_serializable("kerasep")
class ConvTasNetLike(SeparationModel):
    """Conv-TasNet: analysis by learned filters, a temporal convolution network, synthesis.

    All channels of a frame are analysed together, and a source has one mask for all of them.
    Samples at the end that do not fill a frame are not seen and become zeros, as in the published
    implementations. Append zeros if the last millisecond counts.

    Its presets are trained on the signal-to-noise ratio. The scale-invariant ratio of the paper
    does not determine the level and sign of an estimate, so they would differ between the chunks of
    a long recording.

    Args:
        sources: names of the sources. Defaults to ("speaker_1", "speaker_2").
        sample_rate: in Hz. Defaults to 8000.
        channels: number of channels of the mixture. Defaults to 1.
        filters: number of filters of the analysis and the synthesis (N). Defaults to 512.
        kernel_size: length of the filters in samples (L). Defaults to 16.
        hop: samples between frames. Defaults to 8.
        encoder_activation: activation of the features, "linear" or "relu". Defaults to "linear".
        bottleneck: channels between blocks (B). Defaults to 128.
        hidden: channels inside a block (H). Defaults to 512.
        skip: channels of the skip paths (Sc); 0 for none. Defaults to 128.
        block_kernel_size: frames of the kernel in a block's convolution (P). Defaults to 3.
        blocks: blocks per repeat (X). Defaults to 8.
        repeats: number of repeats (R). Defaults to 3.
        norm: "global", "cumulative", "layer" or "batch": see `kerasep.layers.TemporalConvNet`.
            Defaults to "global", or to "cumulative" if causal.
        mask_activation: "relu", "sigmoid", "softmax", "tanh" or any other of `keras.activations`.
            Defaults to "relu", like published weights; the paper has "sigmoid".
        causal: whether the output depends on at most one frame of future samples. Defaults to
            False.
        lean: whether to use the form published for music, without biases and without a PReLU before
            the masks' layer, and with features normalised frame by frame. Defaults to False.
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
    from kerasep.models import ConvTasNetLike

    model = ConvTasNetLike(filters=32, bottleneck=8, hidden=16, skip=8, blocks=3, repeats=1)
    waveform = np.random.randn(1, 1003, 1).astype("float32")
    assert model.predict_on_batch(waveform).shape == (1, 1003, 1, 2)
    ```

    Reference:
        Luo and Mesgarani 2019, "Conv-TasNet: Surpassing ideal time-frequency magnitude masking for
        speech separation"; for music Defossez et al. 2019, "Music source separation in the waveform
        domain".
    """

    domain = "waveform"

    def __init__(
        self,
        sources: list[str] | tuple[str, ...] = ("speaker_1", "speaker_2"),
        sample_rate: float = 8000,
        channels: int = 1,
        filters: int = 512,
        kernel_size: int = 16,
        hop: int = 8,
        encoder_activation: str = "linear",
        bottleneck: int = 128,
        hidden: int = 512,
        skip: int = 128,
        block_kernel_size: int = 3,
        blocks: int = 8,
        repeats: int = 3,
        norm: str | None = None,
        mask_activation: str = "relu",
        causal: bool = False,
        lean: bool = False,
        interchangeable: bool = True,
        name: str = "conv_tasnet_like",
    ) -> None:
        sources = check_signal(sources, sample_rate, channels)
        check_activation(encoder_activation=encoder_activation, mask_activation=mask_activation)
        check_filterbank(filters, kernel_size, hop)

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
        x = TemporalConvNet(
            blocks,
            repeats,
            bottleneck,
            hidden,
            skip,
            block_kernel_size,
            norm,
            causal,
            input_norm="layer" if lean else None,
            use_bias=not lean,
            name="separator",
        )(x)
        if not lean:
            quarter = keras.initializers.Constant(0.25)
            x = kl.PReLU(quarter, shared_axes=[1, 2], name="mask_prelu")(x)
        x = kl.Dense(filters * len(sources), use_bias=not lean, name="mask_dense")(x)
        x = kl.Reshape((-1, filters, len(sources)), name="by_source", dtype="float32")(x)
        masks = kl.Activation(mask_activation, name="masks", dtype="float32")(x)
        masked = kl.Multiply(name="masked", dtype="float32")([masks, features])
        masked = kl.Reshape((-1, filters, 1, len(sources)), name="apart", dtype="float32")(masked)
        rows = LearnedSynthesis(*frame, name="decoder")(masked, row)
        outputs = kl.Reshape((-1, channels, len(sources)), name="sources", dtype="float32")(rows)
        super().__init__(mixture, outputs, name=name)

        self.latency = kernel_size if causal else None
