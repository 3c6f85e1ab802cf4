"""The best permutation against SciPy's Hungarian algorithm."""

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy
from scipy.optimize import linear_sum_assignment

from kerasep import ops
from kerasep.errors import InputError
from kerasep.ops import assignment


def cost(costs, order):
    return np.take_along_axis(costs.astype("float64"), order[..., None], axis=2).sum(axis=(1, 2))


def hungarian(costs):
    return np.stack([linear_sum_assignment(matrix)[1] for matrix in costs])


@pytest.mark.parametrize("sources", [1, 2, 3, 4, 5, 8])
@pytest.mark.parametrize("kind", ["random", "ties", "same", "large"])
def test_exact(rng, compiled, sources, kind):
    costs = {
        "random": rng.standard_normal((20, sources, sources)),
        "ties": rng.integers(0, 3, (20, sources, sources)),
        "same": np.zeros((20, sources, sources)),
        "large": -1e6 * rng.random((20, sources, sources)),
    }[kind].astype("float32")
    order = convert_to_numpy(compiled(ops.best_permutation)(costs))
    assert order.dtype == "int32"
    assert (np.sort(order, axis=1) == np.arange(sources)).all()
    np.testing.assert_allclose(cost(costs, order), cost(costs, hungarian(costs)), rtol=1e-6)


def test_both_ways_agree(rng, compiled):
    costs = keras.ops.convert_to_tensor(rng.standard_normal((50, 4, 4)), "float32")
    np.testing.assert_array_equal(
        convert_to_numpy(compiled(assignment._over_sets)(costs)),
        convert_to_numpy(compiled(assignment._exhaustive)(costs)),
    )


def test_greedy_is_not_enough():
    """The cheapest pair of each row in turn would cost 101."""
    costs = np.array([[[1, 2], [2, 100]]], "float32")
    assert convert_to_numpy(ops.best_permutation(costs)).tolist() == [[1, 0]]


@pytest.mark.slow
def test_most_sources(rng):
    costs = rng.standard_normal((3, 12, 12)).astype("float32")
    np.testing.assert_array_equal(convert_to_numpy(ops.best_permutation(costs)), hungarian(costs))


class Assigner(keras.layers.Layer):
    def call(self, costs):
        return ops.best_permutation(costs)


def test_in_a_compiled_graph(rng):
    """With a batch of unknown size; `predict` compiles, on TensorFlow and JAX."""
    inputs = keras.Input((6, 6))
    model = keras.Model(inputs, Assigner()(inputs))
    costs = rng.standard_normal((5, 6, 6)).astype("float32")
    np.testing.assert_array_equal(model.predict(costs, verbose=0), hungarian(costs))


def test_sinkhorn(rng):
    costs = rng.random((10, 5, 5)).astype("float32")
    plan = np.exp(convert_to_numpy(ops.sinkhorn(costs, sharpness=200.0, iterations=300)))
    np.testing.assert_allclose(plan.sum(axis=1), 1, atol=1e-4)
    np.testing.assert_allclose(plan.sum(axis=2), 1, atol=0.05)
    np.testing.assert_array_equal(plan.argmax(axis=2), hungarian(costs))


def test_what_cannot_be_assigned():
    for shape in [(2, 3), (2, 3, 4), (1, 13, 13)]:
        with pytest.raises(InputError, match=r"received.*expected"):
            ops.best_permutation(np.zeros(shape, "float32"))
    with pytest.raises(InputError, match=r"received.*expected"):
        ops.sinkhorn(np.zeros((2, 3, 4), "float32"))
