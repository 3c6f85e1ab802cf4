"""Cumulative sums of many frames."""

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import ops


@pytest.mark.parametrize("frames", [1, 2, 511, 512, 513, 1024, 200_001])
def test_equals_a_sum_in_float64(rng, frames):
    # A constant is the worst case: each addition in a chain rounds the same way.
    x = np.stack([np.full(frames, 0.1), rng.random(frames)]).astype("float32")
    expected = np.cumsum(x.astype("float64"), axis=1)
    np.testing.assert_allclose(convert_to_numpy(ops.running_sum(x)), expected, rtol=3e-5)


def test_unknown_number_of_frames(rng):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("other backends know their shapes")
    import tensorflow as tf

    function = tf.function(ops.running_sum, input_signature=[tf.TensorSpec((None, None))])
    for frames in (1, 512, 700):
        x = rng.random((2, frames)).astype("float32")
        np.testing.assert_allclose(function(x), np.cumsum(x, axis=1), rtol=1e-5)
