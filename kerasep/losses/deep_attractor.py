"""Deep attractor loss, of masks from the similarity of embeddings to their sources' means."""

from typing import Any

import keras
from keras import ops

from kerasep import targets
from kerasep.errors import InputError
from kerasep.losses.embedding import bin_weights, check_embedding, check_weights
from kerasep.losses.loss import _Loss
from kerasep.losses.spectrogram import check_exponent, mean_power
from kerasep.ops import as_points, centroids, magnitude
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class DeepAttractor(_Loss):
    """Deep attractor loss: `mean | |S_i| - M_i |Y| |^p` with masks `M = f(V . A_i)`.

    The attractor `A_i` is the mean embedding of the bins in which source `i` is the loudest. So the
    embedding learns to produce good masks. At inference, when the true sources are unknown, use the
    centroids of `kerasep.ops.kmeans` as attractors.

    Args:
        p: exponent, 1 for L1 or 2 for the mean squared error as in the paper. Defaults to 1.
        weights: weights of the bins in the attractors, as in `DeepClustering`. Their level does not
            matter here. Defaults to "magnitude_ratio".
        activation: activation `f` of the masks, "softmax" over the sources or "sigmoid". Defaults
            to "softmax".
        name: name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`; float32 by default.

    Call arguments:
        y_true: packed reference `(batch, frames, bins, channels, 1 + sources, 2)`.
        y_pred: embedding `(batch, frames, bins, channels, embedding)`.

    Raises:
        InputError: if `p` is below 1, weights or activation are unknown, or the shapes do not
            match.

    Example:
    ```python
    import numpy as np
    from kerasep import losses

    reference = np.random.randn(2, 4, 5, 1, 3, 2).astype("float32")
    embedding = np.random.rand(2, 4, 5, 1, 16).astype("float32")
    loss = losses.DeepAttractor(p=2)(reference, embedding)
    ```

    Reference:
        Chen, Luo and Mesgarani 2017, "Deep attractor network for single-microphone speaker
        separation".
    """

    def __init__(
        self,
        p: float = 1,
        weights: str = "magnitude_ratio",
        activation: str = "softmax",
        name: str = "deep_attractor",
        **kwargs: Any,
    ) -> None:
        super().__init__(name, **kwargs)
        check_exponent(p)
        check_weights(weights)
        if activation not in ("softmax", "sigmoid"):
            raise InputError(f"received activation={activation!r}, expected 'softmax' or 'sigmoid'")

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Compute the loss of each example, `(batch,)`."""
        check_embedding(y_true, y_pred)
        y_true, y_pred = ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")
        mixture, sources = targets.unpack_reference(y_true)
        dominant = targets.dominant_source(y_true)
        weighted = as_points(dominant * bin_weights(y_true, self.weights)[..., None])
        attractors = centroids(as_points(y_pred), weighted)
        similarity = ops.einsum("btfcd,bkd->btfck", y_pred, attractors)
        # A source that is the loudest in no bin has neither an attractor nor a mask.
        heard = ops.any(weighted > 0, axis=1)[:, None, None, None]
        masks = getattr(ops, self.activation)(ops.where(heard, similarity, -1e30))
        # The last column is for anything else in the mixture.
        masks = ops.where(heard, masks, 0.0)[..., :-1]
        return mean_power(masks * magnitude(mixture)[..., None] - magnitude(sources), self.p)
