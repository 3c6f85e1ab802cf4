import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import ops


@pytest.mark.parametrize("samples", [2, 511, 512, 513, 3000])
def test_mean_and_unbiased_deviation(rng, samples):
    x = (0.3 + rng.standard_normal((3, samples, 2))).astype("float32")
    mean, deviation = map(convert_to_numpy, ops.mono_level(x))
    mono = x.mean(axis=2, dtype="float64")
    np.testing.assert_allclose(mean[:, 0, 0], mono.mean(axis=1), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(deviation[:, 0, 0], mono.std(axis=1, ddof=1), rtol=1e-5)


def test_a_single_sample_has_no_deviation():
    mean, deviation = map(convert_to_numpy, ops.mono_level(np.full((1, 1, 2), 3.0, "float32")))
    assert (float(mean[0, 0, 0]), float(deviation[0, 0, 0])) == (3, 0)
