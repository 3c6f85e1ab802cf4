"""K-means for masks from embeddings, and soft k-means with gradients."""

import math

import numpy as np
from keras import ops

from kerasep.errors import InputError
from kerasep.ops.masks import binary_mask
from kerasep.system.types import Tensor

_PRIMES = (1021, 1031)


def as_points(tensor: Tensor) -> Tensor:
    """Reshape frames, bins and channels to one axis of points.

    Args:
        tensor: `(batch, frames, bins, channels, features)`.

    Returns:
        `(batch, points, features)`.

    Example:
    >>> import numpy as np
    >>> tuple(as_points(np.zeros((2, 4, 5, 3, 8))).shape)
    (2, 60, 8)
    """
    shape = ops.shape(tensor)
    known = all(isinstance(size, int) for size in shape[1:4])
    number = math.prod(shape[1:4]) if known else -1
    return ops.reshape(tensor, (shape[0], number, tensor.shape[-1]))


def kmeans(
    points: Tensor,
    clusters: int,
    weights: Tensor | None = None,
    iterations: int = 100,
    seed: int = 0,
) -> tuple[Tensor, Tensor]:
    """Cluster the points of each example by k-means.

    The start is that of k-means++ (Arthur and Vassilvitskii 2007). The iterations end when no
    centroid moves. The random numbers depend only on the seed. Points that differ by rounding
    errors have the same start, so every backend and every exported file has it too. No gradient
    passes through the result.

    Args:
        points: tensor `(batch, points, features)`.
        clusters: number of clusters.
        weights: `(batch, points)`, 0 or more. A point of weight 2 counts as two points. A point of
            weight 0 is labelled but does not count. Default: 1 for every point.
        iterations: maximum number of iterations. Defaults to 100.
        seed: integer that determines the start. Defaults to 0.

    Returns:
        Labels `(batch, points)`, int32, and centroids `(batch, clusters, features)`.

    Raises:
        InputError: if points or weights have a different shape, or `clusters` is below 1.

    Example:
    >>> import numpy as np
    >>> labels, centroids = kmeans(np.array([[[0.0], [9.0], [0.5], [9.5]]]), 2)
    >>> sorted(np.array(centroids).ravel().tolist())
    [0.25, 9.25]
    """
    points, weights = _checked(points, clusters, weights)
    points, weights = ops.stop_gradient(points), ops.stop_gradient(weights)
    points, middle = _centred(points, weights)

    def improve(means, _):
        better = centroids(points, _nearest(points, means) * weights[..., None], means)
        return better, ops.any(ops.not_equal(better, means))

    means, _ = ops.while_loop(
        lambda _, moved: moved,
        improve,
        (_spread(points, clusters, weights, seed), ops.convert_to_tensor(True)),
        maximum_iterations=iterations,
    )
    order = ops.arange(clusters, dtype="float32")
    labels = ops.cast(ops.sum(_nearest(points, means) * order, axis=-1), "int32")
    return labels, means + middle


def soft_kmeans(
    points: Tensor,
    clusters: int,
    weights: Tensor | None = None,
    sharpness: float = 5.0,
    iterations: int = 10,
    seed: int = 0,
) -> tuple[Tensor, Tensor]:
    """Cluster the points of each example by soft k-means, with gradients.

    Alternates between the assignment `a[n, k] = softmax_k(-sharpness |v_n - c_k|^2)` and the
    centroids `c_k = sum_n w_n a[n, k] v_n / sum_n w_n a[n, k]`. The start is that of `kmeans`.

    Args:
        points: tensor `(batch, points, features)`.
        clusters: number of clusters.
        weights: `(batch, points)`, 0 or more, as in `kmeans`. Default: 1 for every point.
        sharpness: larger values make the assignment harder. Defaults to 5, which suits points of
            unit norm.
        iterations: number of iterations, which are unrolled. Defaults to 10.
        seed: integer that determines the start. Defaults to 0.

    Returns:
        Assignment `(batch, points, clusters)`, which sums to 1 over the clusters, and centroids
        `(batch, clusters, features)`.

    Raises:
        InputError: if points or weights have a different shape, or `clusters` is below 1.

    Example:
    >>> import numpy as np
    >>> assignment, _ = soft_kmeans(np.array([[[0.0], [9.0], [0.5], [9.5]]]), 2)
    >>> np.array(assignment).round(2)[0, 0].max()
    np.float32(1.0)

    Reference:
        Isik et al. 2016, "Single-channel multi-speaker separation using deep clustering", section
        2.4.
    """
    points, weights = _checked(points, clusters, weights)
    points, middle = _centred(points, weights)
    start = _spread(ops.stop_gradient(points), clusters, ops.stop_gradient(weights), seed)
    means = ops.stop_gradient(start)
    for _ in range(iterations):
        assignment = ops.softmax(-sharpness * _distances(points, means), axis=-1)
        means = centroids(points, assignment * weights[..., None], means)
    return ops.softmax(-sharpness * _distances(points, means), axis=-1), means + middle


def centroids(points: Tensor, assignment: Tensor, empty: float = 0.0) -> Tensor:
    """Compute the weighted mean of the points of each cluster.

    `c_k = sum_n a[n, k] v_n / sum_n a[n, k]`.

    Args:
        points: tensor `(batch, points, features)`.
        assignment: `(batch, points, clusters)`, the share of each point in each cluster.
        empty: the centroid of a cluster without points. Defaults to 0.

    Returns:
        `(batch, clusters, features)`.

    Example:
    >>> import numpy as np
    >>> float(centroids(np.array([[[1.0], [4.0]]]), np.array([[[2.0], [1.0]]]))[0, 0, 0])
    2.0
    """
    points, assignment = ops.cast(points, "float32"), ops.cast(assignment, "float32")
    sums = ops.einsum("bnk,bnd->bkd", assignment, points)
    counts = ops.sum(assignment, axis=1)[..., None]
    return ops.where(counts > 0, sums / ops.where(counts > 0, counts, 1.0), empty)


def _checked(points, clusters, weights):
    """Return points and weights in float32, with a largest weight of 1 in each example."""
    shape = tuple(points.shape)
    if len(shape) != 3 or clusters < 1:
        raise InputError(
            f"received points {shape} for {clusters} clusters, expected "
            f"(batch, points, features) and at least 1 cluster"
        )
    points = ops.cast(points, "float32")
    if weights is None:
        return points, ops.ones_like(points[..., 0])
    if len(weights.shape) != 2:
        raise InputError(
            f"received weights {tuple(weights.shape)}, expected (batch, points), as in {shape}"
        )
    weights = ops.cast(weights, "float32")
    largest = ops.max(weights, axis=1, keepdims=True)
    return points, weights / ops.where(largest > 0, largest, 1.0)


def _centred(points, weights):
    """Subtract the mean of the points, since a shared offset costs distances their precision."""
    middle = ops.stop_gradient(centroids(points, weights[..., None]))
    return points - middle, middle


def _distances(points, means):
    """Compute squared distances `(batch, points, clusters)` minus the squared norms of points."""
    products = ops.einsum("bnd,bkd->bnk", points, means)
    return ops.sum(ops.square(means), axis=-1)[:, None] - 2 * products


def _nearest(points, means):
    """Return the nearest cluster as one-hot `(batch, points, clusters)`."""
    return binary_mask(-_distances(points, means))


def _spread(points, clusters, weights, seed):
    """Choose the start by greedy k-means++, which keeps the best of several drawn points."""
    random = np.random.default_rng(seed)
    tries = 2 + int(np.log(clusters))
    squares = ops.sum(ops.square(points), axis=-1, keepdims=True)
    chances, nearest, drawn = weights, None, []
    for _ in range(clusters):
        candidates = _draw(points, chances, tries, random)
        distances = ops.maximum(squares + _distances(points, candidates), 0.0)
        if nearest is not None:
            distances = ops.minimum(distances, nearest[..., None])
        best = binary_mask(-ops.sum(weights[..., None] * distances, axis=1))
        drawn.append(ops.einsum("bt,btd->bd", best, candidates))
        nearest = ops.einsum("bt,bnt->bn", best, distances)
        chances = weights * nearest
    return ops.stack(drawn, axis=1)


def _draw(points, chances, tries, random):
    """Draw points `(batch, tries, features)` with probabilities in proportion to `chances`."""
    # The sum of two short tables, modulo one, repeats after a million points only.
    index = ops.arange(ops.shape(points)[1])
    table = [ops.take(random.random((size, tries), "float32"), index % size, 0) for size in _PRIMES]
    waiting = -ops.log(ops.maximum((table[0] + table[1]) % 1, 1e-7))
    first = ops.top_k(ops.transpose(chances[..., None] / waiting, (0, 2, 1)), 1)[1]
    return ops.take_along_axis(points, first, axis=1)
