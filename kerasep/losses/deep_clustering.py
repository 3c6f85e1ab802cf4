"""Deep clustering: affinities of embeddings against those of dominant sources."""

import keras
from keras import ops

from kerasep.losses.embedding import EmbeddingLoss, gram


@keras.saving.register_keras_serializable("kerasep")
class DeepClustering(EmbeddingLoss):
    """Deep clustering: `mean_nm w_n w_m (v_n . v_m - y_n . y_m)^2`, over all pairs of points.

    That is `|VV' - YY'|_F^2` over the squared number of points, which makes it independent of the
    crop's length. Points are frames, bins and channels; `Y` has one column a source, 1 where that
    source is the loudest: `kerasep.targets.dominant_source`, which says why one column for one
    source, as some texts have it, is not enough. Nothing of the size points x points is computed:
    `|V'WV|^2 - 2 |V'WY|^2 + |Y'WY|^2`.

    Args:
        weights: of the points: "none", "magnitude" (of the mixture, so that loud examples count
            more), or "magnitude_ratio" (that over its mean in the example). Defaults to
            "magnitude_ratio", which Wang et al. found best.
        name: name of the loss.
        reduction: as in `keras.losses.Loss`.
        dtype: as in `keras.losses.Loss`; float32 under any mixed-precision policy.

    Call arguments:
        y_true: packed reference `(batch, frames, bins, channels, 1 + sources, 2)`.
        y_pred: embedding `(batch, frames, bins, channels, embedding)`, of unit norm.

    Raises:
        InputError: for other weights or shapes.

    Example:
    ```python
    import numpy as np
    from kerasep import losses

    reference = np.random.randn(2, 4, 5, 1, 3, 2).astype("float32")
    embedding = np.full((2, 4, 5, 1, 16), 0.25, "float32")
    loss = losses.DeepClustering()(reference, embedding)
    ```

    Reference:
        Hershey et al. 2016, "Deep clustering: discriminative embeddings for segmentation and
        separation", eq. 1 and 3; weights: Wang, Le Roux and Hershey 2018, "Alternative objective
        functions for deep clustering".
    """

    def __init__(
        self,
        weights="magnitude_ratio",
        name="deep_clustering",
        reduction="sum_over_batch_size",
        dtype="float32",
    ):
        super().__init__(weights, name, reduction, dtype)

    def distance(self, embedding, assignment, weights):
        """Mean squared difference of affinities, `(batch,)`."""
        root = ops.sqrt(weights)
        embedding, assignment = root * embedding, root * assignment
        number = ops.cast(ops.shape(weights)[1], "float32")
        pairs = (
            _square(gram(embedding, embedding) / number)
            - 2 * _square(gram(embedding, assignment) / number)
            + _square(gram(assignment, assignment) / number)
        )
        return pairs


def _square(matrix):
    return ops.sum(ops.square(matrix), axis=(1, 2))
