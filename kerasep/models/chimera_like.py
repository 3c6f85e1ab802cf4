"""Chimera: deep clustering and mask inference as two heads of one recurrent network."""

import keras
from keras import layers as kl

from kerasep.layers import ApplyMask, Decibels, EmbeddingHead, MaskHead, RecurrentStack
from kerasep.models.separation_model import SeparationModel, check_signal
from kerasep.ops import check_transform
from kerasep.ops import window as analysis_window
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class ChimeraLike(SeparationModel):
    """Chimera and Chimera++: one trunk of LSTM layers, with an embedding head and a mask head.

    The loss of the embedding trains the trunk to tell sources apart. The mask head separates them,
    and `estimate` returns its output. Each head has its own loss, and both have the same reference,
    which `kerasep.data.spectrograms` returns under both names. The model computes the same as
    nussl's recurrent Chimera network.

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
        embedding: number of dimensions of the vector of a bin. Defaults to 20.
        embedding_activation: activation of the embedding, before its vectors are divided by their
            length. Defaults to "sigmoid".
        activation: activation of the masks, as in `kerasep.layers.MaskHead`. Defaults to "softmax".
        interchangeable: whether any output may be any source, such as two speakers. The mask head's
            loss is then `kerasep.losses.PermutationInvariant`. Defaults to True.
        name: name of the model.

    Input shape:
        Magnitude `(batch, frames, n_fft / 2 + 1, channels)`.

    Output shape:
        Dict of "embedding" `(batch, frames, n_fft / 2 + 1, channels, embedding)` and "estimates",
        source magnitudes `(batch, frames, n_fft / 2 + 1, channels, sources)`.

    Raises:
        InputError: for arguments out of range.

    Example:
    ```python
    import numpy as np
    from kerasep import losses
    from kerasep.models import ChimeraLike

    model = ChimeraLike(units=8, lstm_layers=1)
    masks = losses.PermutationInvariant(losses.TruncatedPhaseSensitive())
    model.compile(
        "adam",
        loss={"embedding": losses.WhitenedKMeans(), "estimates": masks},
        loss_weights={"embedding": 0.975, "estimates": 0.025},
    )
    reference = np.random.randn(1, 20, 129, 1, 3, 2).astype("float32")
    magnitude = np.linalg.norm(reference[..., 0, :], axis=-1)
    model.train_on_batch(magnitude, {"embedding": reference, "estimates": reference})
    assert tuple(model.estimate(magnitude).shape) == (1, 20, 129, 1, 2)
    ```

    Reference:
        Luo, Chen, Hershey, Le Roux and Mesgarani 2017, "Deep clustering and conventional networks
        for music separation: stronger together"; Chimera++: Wang, Le Roux and Hershey 2018,
        "Alternative objective functions for deep clustering".
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
        embedding: int = 20,
        embedding_activation: str = "sigmoid",
        activation: str = "softmax",
        interchangeable: bool = True,
        name: str = "chimera_like",
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
        vectors = EmbeddingHead(bins, channels, embedding, embedding_activation, name="embedding")(
            x
        )
        masks = MaskHead(bins, channels, len(sources), activation, name="mask")(x)
        estimates = ApplyMask(name="estimates")(masks, mixture)
        super().__init__(mixture, {"embedding": vectors, "estimates": estimates}, name=name)

        self.stft = {"n_fft": n_fft, "hop": hop, "window": window}
        self.latency = None if bidirectional else n_fft

    def estimate(self, mixture: Tensor) -> Tensor:
        """Return the estimates of the mask head."""
        return self(mixture)["estimates"]
