"""Deep clustering: a recurrent network whose embeddings of bins are clustered into sources."""

import keras
from keras import layers as kl

from kerasep.layers import ApplyMask, Decibels, EmbeddingHead, KMeans, RecurrentStack
from kerasep.models.separation_model import SeparationModel, check_signal
from kerasep.ops import check_transform
from kerasep.ops import window as analysis_window
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class DeepClusteringLike(SeparationModel):
    """Deep clustering: magnitude in dB, batch norm, LSTM layers, an embedding of each bin.

    The embedding is trained by `kerasep.losses.DeepClustering` or another loss of embeddings. For
    separation, k-means groups the bins into one cluster per source, and the clusters are binary
    masks. The model computes the same as nussl's recurrent deep clustering network.

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
        dropout: rate between LSTM layers. Defaults to 0.3.
        embedding: number of dimensions of the vector of a bin. Defaults to 20.
        activation: activation of the embedding, before its vectors are divided by their length.
            Defaults to "sigmoid".
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
    from kerasep.models import DeepClusteringLike

    model = DeepClusteringLike(units=8, lstm_layers=1)
    magnitude = np.random.rand(1, 20, 129, 1).astype("float32")
    assert model.predict_on_batch(magnitude).shape == (1, 20, 129, 1, 20)
    assert tuple(model.estimate(magnitude).shape) == (1, 20, 129, 1, 2)
    ```

    Reference:
        Hershey, Chen, Le Roux and Watanabe 2016, "Deep clustering: discriminative embeddings for
        segmentation and separation"; as here: Wang, Le Roux and Hershey 2018, "Alternative
        objective functions for deep clustering".
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
        dropout: float = 0.3,
        embedding: int = 20,
        activation: str = "sigmoid",
        name: str = "deep_clustering_like",
    ) -> None:
        sources = check_signal(sources, sample_rate, channels, least=2)
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
        outputs = EmbeddingHead(bins, channels, embedding, activation, name="embedding")(x)
        super().__init__(mixture, outputs, name=name)

        self.stft = {"n_fft": n_fft, "hop": hop, "window": window}

    def estimate(self, mixture: Tensor) -> Tensor:
        """Return estimates from the clusters of k-means."""
        masks = KMeans(len(self.sources), name="clusters")(self(mixture), mixture)
        return ApplyMask(name="source_magnitudes")(masks, mixture)
