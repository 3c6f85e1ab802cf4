import numpy as np
import pytest
from keras import ops as keras_ops
from keras.ops import convert_to_numpy

from kerasep import ops


@pytest.mark.parametrize("samples", [2, 511, 512, 513, 3000])
def test_mean_and_unbiased_deviation(rng, samples):
    x = (0.3 + rng.standard_normal((3, samples, 2))).astype("float32")
    mean, deviation = map(convert_to_numpy, ops.mono_level(x))
    mono = x.mean(axis=2, dtype="float64")
    np.testing.assert_allclose(mean[:, 0, 0], mono.mean(axis=1), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(deviation[:, 0, 0], mono.std(axis=1, ddof=1), rtol=1e-5)


@pytest.mark.parametrize("level", [0.0, 1e-6, 1.0, 1e4])
def test_float16_and_silence(rng, gradients, level):
    """Sums and counts exceed the range of float16."""
    x = level * rng.standard_normal((1, 70_000, 2)).clip(-4, 4)
    mean, deviation = ops.mono_level(keras_ops.cast(x, "float16"))
    mono = np.asarray(x, "float16").mean(axis=2, dtype="float64")
    np.testing.assert_allclose(float(mean[0, 0, 0]), mono.mean(), rtol=1e-2, atol=1e-7)
    np.testing.assert_allclose(float(deviation[0, 0, 0]), mono.std(ddof=1), rtol=1e-2)
    _, (slopes,) = gradients(lambda x: ops.mono_level(x)[1][0, 0, 0], x[:, :50])
    mono = x[:, :50].mean(axis=2, keepdims=True)
    deviation = mono.std(ddof=1)
    expected = (mono - mono.mean()) / (49 * 2 * (deviation or 1))
    np.testing.assert_allclose(slopes, np.repeat(expected, 2, axis=2), atol=1e-5)


def test_a_single_sample_has_no_deviation():
    mean, deviation = map(convert_to_numpy, ops.mono_level(np.full((1, 1, 2), 3.0, "float32")))
    assert (float(mean[0, 0, 0]), float(deviation[0, 0, 0])) == (3, 0)
