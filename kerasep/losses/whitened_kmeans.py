"""Whitened k-means: how much of whitened embeddings their cluster means explain."""

import keras
from keras import ops

from kerasep.losses.embedding import EmbeddingLoss, gram

# Of the covariance's trace: keeps it invertible with fewer points than dimensions, and at silence.
REGULARIZATION = 1e-5


@keras.saving.register_keras_serializable("kerasep")
class WhitenedKMeans(EmbeddingLoss):
    """Whitened k-means: `D - tr((V'WV)^-1 V'WY (Y'WY)^-1 Y'WV)`.

    The k-means objective with the true assignment, on embeddings whitened by their covariance:
    blind to any linear map of them. From `D` down to `D` less the number of sources that are heard,
    with `D` the embedding's size. As in the paper; some implementations print twice the trace and
    add the number of sources.

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
    loss = losses.WhitenedKMeans()(reference, embedding)
    ```

    Reference:
        Wang, Le Roux and Hershey 2018, "Alternative objective functions for deep clustering".
    """

    def __init__(
        self,
        weights="magnitude_ratio",
        name="whitened_kmeans",
        reduction="sum_over_batch_size",
        dtype="float32",
    ):
        super().__init__(weights, name, reduction, dtype)

    def distance(self, embedding, assignment, weights):
        """`D` less the trace, `(batch,)`."""
        size = embedding.shape[-1]
        total = ops.sum(weights, axis=1, keepdims=True)
        weighted = embedding * (weights / ops.where(total > 0, total, 1.0))
        covariance = gram(weighted, embedding)
        trace = ops.sum(ops.square(embedding), axis=-1, keepdims=True) * weights
        trace = ops.sum(trace, axis=1, keepdims=True) / ops.where(total > 0, total, 1.0)
        # At silence, and at embeddings of 0, any positive diagonal will do.
        diagonal = ops.where(trace > 1e-20, REGULARIZATION * trace, 1.0)
        sums = gram(weighted, assignment)
        counts = ops.sum(weights * assignment, axis=1, keepdims=True)
        counts = counts / ops.where(total > 0, total, 1.0)
        solved = ops.solve(covariance + diagonal * ops.eye(size), sums)
        shares = sums * solved / ops.where(counts > 0, counts, 1.0)
        return size - ops.sum(shares, axis=(1, 2))
