"""Deep attractor network: masks from the similarity of bins to a source's mean embedding."""

import keras
from keras import layers as kl

from kerasep.layers import ApplyMask, AttractorMask, Decibels, EmbeddingHead, KMeans, RecurrentStack
from kerasep.models.separation_model import SeparationModel, check_signal
from kerasep.ops import check_transform
from kerasep.ops import window as analysis_window
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class DeepAttractorLike(SeparationModel):
    """Deep attractor network (DANet): LSTM layers, an embedding of each bin, attractors, masks.

    The embedding is trained by `kerasep.losses.DeepAttractor`, where the attractors are the mean
    embeddings of the bins of the true sources. For separation, k-means finds the bins of the
    sources. The masks are the similarity of each bin to the attractors, so they are soft, unlike
    those of deep clustering.

    Args:
        sources: names of the sources, two or more, in any order. Defaults to ("speaker_1",
            "speaker_2").
        sample_rate: in Hz. Defaults to 8000.
        channels: number of channels of the mixture. Defaults to 1.
        n_fft: FFT length in samples. Defaults to 256.
        hop: samples between frames. Defaults to 64.
        window: analysis window. Defaults to "sqrt_hann".
        full_scale: whether 0 dB is full scale to the network, as in nussl, instead of a magnitude
            of 1. Bins 80 dB below count as silent. Defaults to False.
        units: units of each direction of an LSTM layer. Defaults to 600.
        lstm_layers: number of LSTM layers. Defaults to 4.
        bidirectional: whether LSTM layers also run backwards in time. Defaults to True.
        dropout: rate between LSTM layers; the paper names none. Defaults to 0.
        embedding: number of dimensions of the vector of a bin. Defaults to 20.
        embedding_activation: activation of the embedding; the paper names none. Defaults to
            "linear".
        activation: activation of the masks, "softmax" or "sigmoid", as in the loss. Defaults to
            "softmax".
        name: name of the model.

    Input shape:
        Magnitude `(batch, frames, n_fft / 2 + 1, channels)`.

    Output shape:
        Embedding `(batch, frames, n_fft / 2 + 1, channels, embedding)`. `estimate` returns source
        magnitudes `(batch, frames, n_fft / 2 + 1, channels, sources)`.

    Raises:
        InputError: for arguments out of range.

    Example:
    ```python
    import numpy as np
    from kerasep.models import DeepAttractorLike

    model = DeepAttractorLike(units=8, lstm_layers=1)
    magnitude = np.random.rand(1, 20, 129, 1).astype("float32")
    assert model.predict_on_batch(magnitude).shape == (1, 20, 129, 1, 20)
    assert tuple(model.estimate(magnitude).shape) == (1, 20, 129, 1, 2)
    ```

    Reference:
        Chen, Luo and Mesgarani 2017, "Deep attractor network for single-microphone speaker
        separation".
    """

    interchangeable = True

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
        dropout: float = 0.0,
        embedding: int = 20,
        embedding_activation: str = "linear",
        activation: str = "softmax",
        name: str = "deep_attractor_like",
    ) -> None:
        sources = check_signal(sources, sample_rate, channels, least=2)
        check_transform(n_fft, hop, window)
        bins = n_fft // 2 + 1
        AttractorMask(activation)  # raises for an unknown activation now, not in `estimate`

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
        outputs = EmbeddingHead(
            bins, channels, embedding, embedding_activation, unit_norm=False, name="embedding"
        )(x)
        super().__init__(mixture, outputs, name=name)

        self.stft = {"n_fft": n_fft, "hop": hop, "window": window}

    def estimate(self, mixture: Tensor) -> Tensor:
        """Return estimates from k-means, then the attractors of its clusters."""
        embedding = self(mixture)
        clusters = KMeans(len(self.sources), name="clusters")(embedding, mixture)
        masks = AttractorMask(self.activation, name="masks")(embedding, clusters, mixture)
        return ApplyMask(name="source_magnitudes")(masks, mixture)
