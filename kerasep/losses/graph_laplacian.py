"""Graph Laplacian distance: normalised affinities of embeddings against those of sources."""

import keras
from keras import ops

from kerasep.losses.embedding import EmbeddingLoss, gram

# Least degree, as a share of all points: keeps embeddings that are not positive finite.
FLOOR = 1e-3


@keras.saving.register_keras_serializable("kerasep")
class GraphLaplacian(EmbeddingLoss):
    """Graph Laplacian distance: `|D^-1/2 VV' D^-1/2 - E^-1/2 YY' E^-1/2|_F^2`.

    `D` and `E` are diagonal, the sums of the rows of `VV'` and `YY'`: what spectral clustering
    works on. Large and small sources count alike. Meant for embeddings without negative values
    (sigmoid, then unit norm): where a row of `VV'` sums to less than a thousandth of the number of
    points, that thousandth is taken.

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
    embedding = np.full((2, 4, 5, 1, 16), 0.25, "float32")
    loss = losses.GraphLaplacian()(reference, embedding)
    ```

    Reference:
        Wang, Le Roux and Hershey 2018, "Alternative objective functions for deep clustering".
    """

    def __init__(
        self,
        weights="magnitude_ratio",
        name="graph_laplacian",
        reduction="sum_over_batch_size",
        dtype="float32",
    ):
        super().__init__(weights, name, reduction, dtype)

    def distance(self, embedding, assignment, weights):
        """Squared distance of the normalised affinities, `(batch,)`."""
        total = ops.sum(weights, axis=1, keepdims=True)
        weights = weights / ops.where(total > 0, total, 1.0)
        degrees = ops.sum(embedding * gram(weights, embedding), axis=-1, keepdims=True)
        embedding = embedding * ops.sqrt(weights / ops.maximum(degrees, FLOOR))
        counts = ops.sum(weights * assignment, axis=1, keepdims=True)
        heard = counts > 0
        assignment = assignment * ops.sqrt(weights) / ops.sqrt(ops.where(heard, counts, 1.0))
        return (
            _square(gram(embedding, embedding))
            - 2 * _square(gram(embedding, assignment))
            + ops.sum(ops.cast(heard, "float32"), axis=(1, 2))
        )


def _square(matrix):
    return ops.sum(ops.square(matrix), axis=(1, 2))
