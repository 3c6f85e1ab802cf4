"""K-means against Lloyd's iterations in float64, and against SciPy's from many starts."""

import keras
import numpy as np
import pytest
import scipy.cluster.vq
from keras.ops import convert_to_numpy

from kerasep import ops
from kerasep.errors import InputError


def blobs(rng, batch=3, clusters=4, points=300, features=5, spread=1.0):
    means = 4 * rng.standard_normal((batch, clusters, features))
    labels = rng.integers(0, clusters, (batch, points))
    noise = spread * rng.standard_normal((batch, points, features))
    x = np.take_along_axis(means, labels[..., None], axis=1) + noise
    return x.astype("float32"), labels


def squared(x, means):
    return ((x[:, None] - means[None]) ** 2).sum(axis=-1)


def lloyd(x, weights, means):
    x, means = x.astype("float64"), means.astype("float64")
    for _ in range(200):
        nearest = np.eye(len(means))[squared(x, means).argmin(axis=1)] * weights[:, None]
        means = (nearest.T @ x) / nearest.sum(axis=0)[:, None]
    return means


def start(x, clusters, weights=None, **options):
    return numbers(ops.soft_kmeans(x, clusters, weights, iterations=0, **options))[1]


def numbers(result):
    return [convert_to_numpy(tensor) for tensor in result]


def test_lloyd(rng):
    x, _ = blobs(rng, spread=3.0)
    weights = rng.random((3, 300)).astype("float32")
    labels, means = numbers(ops.kmeans(x, 4, weights))
    for i, first in enumerate(start(x, 4, weights)):
        expected = lloyd(x[i], weights[i], first)
        np.testing.assert_allclose(means[i], expected, atol=1e-3)
        np.testing.assert_array_equal(labels[i], squared(x[i], means[i]).argmin(axis=1))


def test_finds_what_is_there(rng):
    x, truth = blobs(rng, batch=20, spread=0.3)
    labels, _ = numbers(ops.kmeans(x, 4))
    for found, true in zip(labels, truth, strict=True):
        assert len({*zip(found.tolist(), true.tolist(), strict=True)}) == 4


def test_as_good_as_the_best_of_many_starts(rng):
    x, _ = blobs(rng, batch=40, spread=4.0)
    _, means = numbers(ops.kmeans(x, 4))
    ours = [squared(x[i], means[i]).min(axis=1).sum() for i in range(40)]
    best = []
    for example in x:
        tries = [scipy.cluster.vq.kmeans2(example, 4, minit="++", rng=i)[0] for i in range(10)]
        best.append(min(squared(example, means).min(axis=1).sum() for means in tries))
    assert np.mean(ours) < 1.02 * np.mean(best)


def test_weight_two_is_two_points_and_weight_zero_is_none(rng):
    x, _ = blobs(rng, spread=3.0)
    weights = rng.integers(0, 3, (3, 300)).astype("float32")
    _, means = numbers(ops.kmeans(x, 4, weights))
    for i in range(3):
        expected = lloyd(
            np.repeat(x[i], weights[i].astype(int), axis=0),
            np.ones(int(weights[i].sum())),
            start(x, 4, weights)[i],
        )
        np.testing.assert_allclose(means[i], expected, atol=1e-3)
    x[weights == 0] = 1e6
    np.testing.assert_allclose(numbers(ops.kmeans(x, 4, weights))[1], means, atol=1e-3)


def test_examples_do_not_touch_each_other(rng):
    x, _ = blobs(rng, spread=3.0)
    together = numbers(ops.kmeans(x, 4))[1]
    alone = [numbers(ops.kmeans(x[i : i + 1], 4))[1][0] for i in range(3)]
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_seed(rng):
    x, _ = blobs(rng, spread=3.0)
    np.testing.assert_array_equal(start(x, 4, seed=1), start(x, 4, seed=1))
    assert (start(x, 4, seed=1) != start(x, 4, seed=2)).any()
    # The start consists of points.
    for example, first in zip(x, start(x, 4), strict=True):
        assert squared(first, example).min(axis=1).max() < 1e-10


def test_start_is_the_same_on_every_backend():
    x = (np.arange(60) ** 2 % 61).reshape(1, 30, 2).astype("float32")
    expected = [[25, 16], [52, 48], [12, 45], [56, 19]]
    np.testing.assert_allclose(start(x, 4)[0], expected, atol=1e-4)


def test_start_and_labels_are_the_same_when_points_are_rounded_otherwise(rng):
    """As in an exported file, whose embedding agrees to the sixth digit."""
    # Without any clusters, rounding would decide the labels of points far from every centre.
    x = (
        rng.standard_normal((1, 20_000, 20))
        + 2 * rng.standard_normal((3, 20))[rng.integers(3, size=20_000)]
    )
    x = x.astype("float32")
    weights = rng.random((1, 20_000)).astype("float32")
    rounded = x * (1 + 1e-6 * rng.standard_normal(x.shape)).astype("float32")
    for seed in range(5):
        first, again = (start(points, 3, weights, seed=seed) for points in (x, rounded))
        np.testing.assert_allclose(again, first, atol=1e-4)
    first, again = (numbers(ops.kmeans(points, 3, weights))[0] for points in (x, rounded))
    assert (first != again).mean() < 1e-3


def test_an_offset_costs_no_digits(rng):
    x, _ = blobs(rng, spread=3.0)
    near, _ = numbers(ops.kmeans(x, 4))
    far, _ = numbers(ops.kmeans(x + 2**12, 4))
    assert (near == far).mean() > 0.99


@pytest.mark.parametrize("level", [0.0, 1e-8, 1e4])
def test_levels_and_fewer_points_than_clusters(rng, level):
    x, _ = blobs(rng, points=3)
    x *= level
    for weights in (None, level * np.ones((3, 3), "float32"), np.zeros((3, 3), "float32")):
        labels, means = numbers(ops.kmeans(x, 4, weights))
        if weights is None or weights.any():  # each point is a cluster
            own = np.take_along_axis(means, labels[..., None], axis=1)
            np.testing.assert_allclose(own, x, rtol=1e-4, atol=1e-4 * level)
        assert np.isfinite(means).all()
        shares, means = numbers(ops.soft_kmeans(x, 4, weights))
        np.testing.assert_allclose(shares.sum(axis=-1), 1, atol=1e-5)
        assert np.isfinite(means).all()


def test_soft_kmeans(rng):
    x, _ = blobs(rng, spread=3.0)
    x *= 0.1
    weights = rng.random((3, 300)).astype("float32")
    assignment, means = numbers(ops.soft_kmeans(x, 4, weights, sharpness=3.0, iterations=4))
    for i, found in enumerate(start(x, 4, weights).astype("float64")):
        for _ in range(4):
            soft = np.exp(-3 * squared(x[i], found))
            soft /= soft.sum(axis=1, keepdims=True)
            weighted = soft * weights[i][:, None]
            found = weighted.T @ x[i] / weighted.sum(axis=0)[:, None]
        np.testing.assert_allclose(means[i], found, atol=1e-5)
        soft = np.exp(-3 * squared(x[i], found))
        expected = soft / soft.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(assignment[i], expected, atol=1e-4)


def test_soft_kmeans_has_a_gradient(rng, gradients):
    x = 0.3 * rng.standard_normal((1, 12, 2))
    target = rng.standard_normal((1, 12, 3))

    def loss(points):
        assignment, _ = ops.soft_kmeans(points, 3, iterations=3)
        return keras.ops.sum(assignment * keras.ops.convert_to_tensor(target, "float32"))

    _, (slope,) = gradients(loss, x)
    compared = 0
    for i in range(12):
        step = np.zeros_like(x)
        step[0, i, 1] = 1e-3
        # The start passes no gradient, so it must stay.
        if all(np.allclose(start(x + d, 3), start(x, 3), atol=1e-6) for d in (step, -step)):
            difference = gradients(loss, x + step)[0] - gradients(loss, x - step)[0]
            assert slope[0, i, 1] == pytest.approx(difference / 2e-3, abs=0.01)
            compared += 1
    assert compared > 3


def test_wrong_shapes(rng):
    x, _ = blobs(rng)
    for wrong in [(x[0], 4), (x, 0), (x, 4, x)]:
        with pytest.raises(InputError, match=r"received.*expected"):
            ops.kmeans(*wrong)
