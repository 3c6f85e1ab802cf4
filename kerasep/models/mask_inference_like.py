"""Mask inference: a stack of bidirectional LSTM layers that estimates a mask for each source."""

import keras
from keras import layers as kl

from kerasep.layers import ApplyMask, Decibels, MaskHead, RecurrentStack
from kerasep.models.separation_model import SeparationModel, check_signal
from kerasep.ops import check_transform
from kerasep.ops import window as analysis_window


@keras.saving.register_keras_serializable("kerasep")
class MaskInferenceLike(SeparationModel):
    """Mask inference by recurrent layers: magnitude in dB, batch norm, LSTM layers, masks.

    The estimates are the masks times the mixture. The model computes the same as nussl's recurrent
    mask inference network.

    Args:
        sources: names of the sources. Defaults to ("speaker_1", "speaker_2").
        sample_rate: in Hz. Defaults to 8000.
        channels: number of channels of the mixture. Defaults to 1.
        n_fft: FFT length in samples. Defaults to 256.
        hop: samples between frames. Defaults to 64.
        window: analysis window. Defaults to "sqrt_hann".
        full_scale: whether 0 dB is full scale to the network, as in nussl, instead of a magnitude
            of 1. Bins 80 dB below count as silent. Defaults to False.
        units: units of each direction of an LSTM layer. Defaults to 600.
        lstm_layers: number of LSTM layers. Defaults to 4.
        bidirectional: whether LSTM layers also run backwards in time. If False, the model is
            causal. Defaults to True.
        dropout: rate between LSTM layers. Defaults to 0.3.
        activation: activation of the masks: "sigmoid", or "softmax" for masks that sum to one over
            the sources, or another one of `kerasep.layers.MaskHead`. Defaults to "sigmoid".
        interchangeable: True if any output may be any source, such as two speakers; train with
            `kerasep.losses.PermutationInvariant`. False if each output has its own source, such as
            vocals and drums. Defaults to True.
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
    from kerasep.models import MaskInferenceLike

    model = MaskInferenceLike(["speech", "noise"], units=8, lstm_layers=1, interchangeable=False)
    magnitude = np.random.rand(1, 20, 129, 1).astype("float32")
    assert model.predict_on_batch(magnitude).shape == (1, 20, 129, 1, 2)
    ```

    Reference:
        Weninger, Hershey, Le Roux and Schuller 2014, "Discriminatively trained recurrent neural
        networks for single-channel speech separation"; Kolbaek, Yu, Tan and Jensen 2017,
        "Multitalker speech separation with utterance-level permutation invariant training of deep
        recurrent neural networks".
    """

    def __init__(
        self,
        sources: list[str] | tuple[str, ...] = ("speaker_1", "speaker_2"),
        sample_rate: float = 8000,
        channels: int = 1,
        n_fft: int = 256,
        hop: int = 64,
        window: str = "sqrt_hann",
        full_scale: bool = False,
        units: int = 600,
        lstm_layers: int = 4,
        bidirectional: bool = True,
        dropout: float = 0.3,
        activation: str = "sigmoid",
        interchangeable: bool = True,
        name: str = "mask_inference_like",
    ) -> None:
        sources = check_signal(sources, sample_rate, channels)
        check_transform(n_fft, hop, window)
        bins = n_fft // 2 + 1

        # Functional model
        mixture = keras.Input((None, bins, channels), name="magnitude")
        # 0 dB is full scale, or a magnitude of 1.
        zero = float(analysis_window(window, n_fft).sum()) if full_scale else 1.0
        x = Decibels(zero, name="decibels")(mixture)
        # One feature for all: the levels of bins and channels keep their relation.
        x = kl.Reshape((-1, bins * channels, 1), name="one_feature")(x)
        x = kl.BatchNormalization(
            momentum=0.9, epsilon=1e-5, name="normalization", dtype="float32"
        )(x)
        x = kl.Reshape((-1, bins * channels), name="features")(x)
        x = RecurrentStack(units, lstm_layers, bidirectional, dropout, name="recurrent")(x)
        masks = MaskHead(bins, channels, len(sources), activation, name="mask")(x)
        outputs = ApplyMask(name="source_magnitudes")(masks, mixture)
        super().__init__(mixture, outputs, name=name)

        self.stft = {"n_fft": n_fft, "hop": hop, "window": window}
        self.latency = None if bidirectional else n_fft
