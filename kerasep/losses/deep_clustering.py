"""Deep clustering and alternative losses of embeddings."""

from typing import Any

import keras
from keras import ops

from kerasep import targets
from kerasep.losses.embedding import bin_weights, check_embedding, check_weights, gram
from kerasep.losses.loss import _Loss
from kerasep.ops import as_points, centroids
from kerasep.system.types import Tensor

# Share of the covariance's trace that is added to its diagonal. It keeps the covariance invertible
# in silence, and if there are fewer points than dimensions.
REGULARIZATION = 1e-5
# Smallest degree as a share of all points, which keeps the loss of negative embeddings finite.
FLOOR = 1e-3


class _EmbeddingLoss(_Loss):
    """Computes `distance` from embeddings of points, their one-hot sources and their weights."""

    def __init__(
        self, weights: str = "magnitude_ratio", name: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(name, **kwargs)
        check_weights(weights)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Compute the loss of each example, `(batch,)`."""
        check_embedding(y_true, y_pred)
        y_true = ops.cast(y_true, "float32")
        return self.distance(
            as_points(ops.cast(y_pred, "float32")),
            as_points(targets.dominant_source(y_true)),
            as_points(bin_weights(y_true, self.weights)[..., None]),
        )


@keras.saving.register_keras_serializable("kerasep")
class DeepClustering(_EmbeddingLoss):
    """Deep clustering loss: `mean_nm w_n w_m (v_n . v_m - y_n . y_m)^2`, over all pairs of points.

    This is `|VV' - YY'|_F^2` divided by the squared number of points, so it does not depend on the
    length of the crop. Every frame, bin and channel is a point. `Y` has one column per source,
    which is 1 if that source is the loudest: see `kerasep.targets.dominant_source`. The loss is
    computed as `|V'WV|^2 - 2 |V'WY|^2 + |Y'WY|^2`, so no matrix of the size points x points is
    needed.

    Args:
        weights: weights of the points. "none" weights all equally. "magnitude" is the magnitude of
            the mixture, so that loud examples count more. "magnitude_ratio" is that magnitude
            divided by its mean in the example. Defaults to "magnitude_ratio", which Wang et al.
            found best.
        name: name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`; float32 by default.

    Call arguments:
        y_true: packed reference `(batch, frames, bins, channels, 1 + sources, 2)`.
        y_pred: embedding `(batch, frames, bins, channels, embedding)`, of unit norm.

    Raises:
        InputError: if the weights are unknown or the shapes do not match.

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
        separation"; weights: Wang, Le Roux and Hershey 2018, "Alternative objective
        functions for deep clustering".
    """

    def __init__(
        self, weights: str = "magnitude_ratio", name: str = "deep_clustering", **kwargs: Any
    ) -> None:
        super().__init__(weights, name, **kwargs)

    def distance(self, embedding: Tensor, assignment: Tensor, weights: Tensor) -> Tensor:
        """Compute the mean squared difference of affinities, `(batch,)`."""
        size = embedding.shape[-1]
        weights = weights / ops.cast(ops.shape(weights)[1], "float32")
        both = ops.stop_gradient(weights * ops.concatenate([embedding, assignment], axis=-1))
        products = gram(both, embedding)
        affinities = _square(products[:, :size])
        # The embedding is on both sides of its affinities. Twice the gradient of one side equals
        # the gradient of both, at half the cost.
        affinities = 2 * affinities - ops.stop_gradient(affinities)
        shared = _square(products[:, size:])
        return affinities - 2 * shared + _square(gram(weights * assignment, assignment))


@keras.saving.register_keras_serializable("kerasep")
class WhitenedKMeans(_EmbeddingLoss):
    """Whitened k-means loss: `D - tr((V'WV)^-1 V'WY (Y'WY)^-1 Y'WV)`.

    This is the k-means objective with the true assignment, on embeddings whitened by their
    covariance. It does not change under linear maps of the embeddings. It ranges from `D`, the size
    of the embedding, down to `D` minus the number of audible sources. The formula is the paper's.
    Some implementations use twice the trace and add the number of sources.

    Args:
        weights: weights of the points, as in `DeepClustering`. Their level does not matter here.
            Defaults to "magnitude_ratio".
        name: name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`; float32 by default.

    Call arguments:
        y_true: packed reference `(batch, frames, bins, channels, 1 + sources, 2)`.
        y_pred: embedding `(batch, frames, bins, channels, embedding)`.

    Raises:
        InputError: if the weights are unknown or the shapes do not match.

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
        self, weights: str = "magnitude_ratio", name: str = "whitened_kmeans", **kwargs: Any
    ) -> None:
        super().__init__(weights, name, **kwargs)

    def distance(self, embedding: Tensor, assignment: Tensor, weights: Tensor) -> Tensor:
        """Compute `D` minus the trace, `(batch,)`."""
        size = embedding.shape[-1]
        total = ops.sum(weights, axis=1, keepdims=True)
        weighted = embedding * (weights / ops.where(total > 0, total, 1.0))
        covariance = gram(weighted, embedding)
        trace = ops.sum(ops.square(embedding), axis=-1, keepdims=True) * weights
        trace = ops.sum(trace, axis=1, keepdims=True) / ops.where(total > 0, total, 1.0)
        # In silence, and for embeddings of 0, any positive diagonal works.
        diagonal = ops.where(trace > 1e-20, REGULARIZATION * trace, 1.0)
        sums = gram(weighted, assignment)
        counts = ops.sum(weights * assignment, axis=1, keepdims=True)
        counts = counts / ops.where(total > 0, total, 1.0)
        solved = ops.solve(covariance + diagonal * ops.eye(size), sums)
        shares = sums * solved / ops.where(counts > 0, counts, 1.0)
        return size - ops.sum(shares, axis=(1, 2))


@keras.saving.register_keras_serializable("kerasep")
class LinearDiscriminant(_EmbeddingLoss):
    """Deep linear discriminant analysis loss: `|V - Y M|_F^2 / |V - m|_F^2`.

    `M = (Y'Y)^-1 Y'V` are the sources' mean embeddings, and `m` is the mean of all embeddings. The
    loss is the scatter within the sources divided by the total scatter, from 0 to 1. The total is
    the sum of the scatter within and between sources, so the loss also minimises their ratio.

    Args:
        weights: weights of the points, as in `DeepClustering`. Their level does not matter here.
            Defaults to "magnitude_ratio".
        name: name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`; float32 by default.

    Call arguments:
        y_true: packed reference `(batch, frames, bins, channels, 1 + sources, 2)`.
        y_pred: embedding `(batch, frames, bins, channels, embedding)`.

    Raises:
        InputError: if the weights are unknown or the shapes do not match.

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
        self, weights: str = "magnitude_ratio", name: str = "linear_discriminant", **kwargs: Any
    ) -> None:
        super().__init__(weights, name, **kwargs)

    def distance(self, embedding: Tensor, assignment: Tensor, weights: Tensor) -> Tensor:
        """Compute the scatter within the sources divided by the total scatter, `(batch,)`."""
        means = centroids(embedding, weights * assignment)
        nearest = ops.einsum("bnk,bkd->bnd", assignment, means)
        within = _scatter(embedding - nearest, weights)
        whole = _scatter(embedding - centroids(embedding, weights), weights)
        # If all embeddings are equal, they separate nothing: the worst value.
        apart = whole > 1e-30
        return ops.where(apart, within / ops.where(apart, whole, 1.0), 1.0)


@keras.saving.register_keras_serializable("kerasep")
class GraphLaplacian(_EmbeddingLoss):
    """Graph Laplacian loss: `|D^-1/2 VV' D^-1/2 - E^-1/2 YY' E^-1/2|_F^2`.

    `D` and `E` are the diagonal matrices of the row sums of `VV'` and `YY'`, as in spectral
    clustering. Sources with many and with few points count equally. Use embeddings without negative
    values (sigmoid, then unit norm). Row sums of `VV'` below a thousandth of the number of points
    are raised to that value.

    Args:
        weights: weights of the points, as in `DeepClustering`. Their level does not matter here.
            Defaults to "magnitude_ratio".
        name: name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`; float32 by default.

    Call arguments:
        y_true: packed reference `(batch, frames, bins, channels, 1 + sources, 2)`.
        y_pred: embedding `(batch, frames, bins, channels, embedding)`.

    Raises:
        InputError: if the weights are unknown or the shapes do not match.

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
        self, weights: str = "magnitude_ratio", name: str = "graph_laplacian", **kwargs: Any
    ) -> None:
        super().__init__(weights, name, **kwargs)

    def distance(self, embedding: Tensor, assignment: Tensor, weights: Tensor) -> Tensor:
        """Compute the squared distance of the normalised affinities, `(batch,)`."""
        total = ops.sum(weights, axis=1, keepdims=True)
        weights = weights / ops.where(total > 0, total, 1.0)
        degrees = ops.sum(embedding * gram(weights, embedding), axis=-1, keepdims=True)
        normalized = embedding / ops.sqrt(ops.maximum(degrees, FLOOR))
        weighted = weights * normalized
        counts = ops.sum(weights * assignment, axis=1, keepdims=True)
        heard = counts > 0
        assignment = assignment / ops.sqrt(ops.where(heard, counts, 1.0))
        return (
            _square(gram(weighted, normalized))
            - 2 * _square(gram(weighted, assignment))
            + ops.sum(ops.cast(heard, "float32"), axis=(1, 2))
        )


def _square(matrix):
    return ops.sum(ops.square(matrix), axis=(1, 2))


def _scatter(difference, weights):
    return ops.mean(weights * ops.square(difference), axis=(1, 2))
