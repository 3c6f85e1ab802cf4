"""Vectors of length one."""

import numpy as np
from keras import ops as keras_ops
from keras.ops import convert_to_numpy

from kerasep import ops


def test_length_is_one_and_direction_is_kept(rng):
    x = rng.standard_normal((3, 4, 5)).astype("float32")
    for axis in (-1, 1):
        expected = x / np.linalg.norm(x.astype("float64"), axis=axis, keepdims=True)
        received = convert_to_numpy(ops.unit_norm(x * 1e-3, axis))
        np.testing.assert_allclose(received, expected, atol=1e-6)


def test_slopes_are_float16_numbers(gradients):
    for level in (0.0, 1e-7, 1e-5, 1e-3, 1e4):
        x = level * np.eye(2, 4)
        _, (gradient,) = gradients(lambda x: ops.unit_norm(keras_ops.cast(x, "float16"))[0, 1], x)
        assert np.isfinite(gradient).all(), level


def test_zero_has_a_value_and_a_gradient(gradients):
    value, (gradient,) = gradients(lambda x: ops.unit_norm(x)[0, 0], np.zeros((2, 4)))
    assert value == 0
    np.testing.assert_allclose(gradient, [[5e4, 0, 0, 0], [0, 0, 0, 0]])
