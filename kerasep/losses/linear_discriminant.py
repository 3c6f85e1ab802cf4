"""Deep linear discriminant analysis: scatter within the sources over all scatter."""

import keras
from keras import ops

from kerasep.losses.embedding import EmbeddingLoss
from kerasep.ops import centroids


@keras.saving.register_keras_serializable("kerasep")
class LinearDiscriminant(EmbeddingLoss):
    """Deep linear discriminant analysis: `|V - Y M|_F^2 / |V - m|_F^2`.

    `M = (Y'Y)^-1 Y'V` are the sources' mean embeddings and `m` the mean of all: the scatter within
    the sources over the whole scatter, from 0 to 1. As the whole is that within plus that between,
    less of this is less of within over between.

    Args:
        weights: of the points, as in `DeepClustering`; their level does not matter here. Defaults
            to "magnitude_ratio".
        name: name of the loss.
        reduction: as in `keras.losses.Loss`.
        dtype: as in `keras.losses.Loss`; float32 under any mixed-precision policy.

    Call arguments:
        y_true: packed reference `(batch, frames, bins, channels, 1 + sources, 2)`.
        y_pred: embedding `(batch, frames, bins, channels, embedding)`.

    Raises:
        InputError: for other weights or shapes.

    Example:
    ```python
    import numpy as np
    from kerasep import losses

    reference = np.random.randn(2, 4, 5, 1, 3, 2).astype("float32")
    embedding = np.random.rand(2, 4, 5, 1, 16).astype("float32")
    loss = losses.LinearDiscriminant()(reference, embedding)
    ```

    Reference:
        Wang, Le Roux and Hershey 2018, "Alternative objective functions for deep clustering".
    """

    def __init__(
        self,
        weights="magnitude_ratio",
        name="linear_discriminant",
        reduction="sum_over_batch_size",
        dtype="float32",
    ):
        super().__init__(weights, name, reduction, dtype)

    def distance(self, embedding, assignment, weights):
        """Scatter within the sources over all scatter, `(batch,)`."""
        means = centroids(embedding, weights * assignment)
        nearest = ops.einsum("bnk,bkd->bnd", assignment, means)
        within = _scatter(embedding - nearest, weights)
        whole = _scatter(embedding - centroids(embedding, weights), weights)
        # Where all embeddings are the same there is nothing to tell apart: as bad as can be.
        apart = whole > 1e-30
        return ops.where(apart, within / ops.where(apart, whole, 1.0), 1.0)


def _scatter(difference, weights):
    return ops.mean(weights * ops.square(difference), axis=(1, 2))
