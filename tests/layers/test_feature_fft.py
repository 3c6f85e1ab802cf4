import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep.errors import InputError
from kerasep.layers import FeatureFFT, InverseFeatureFFT


@pytest.mark.parametrize("frames", [2, 9, 10])
def test_transform_along_frames(rng, frames):
    x = rng.standard_normal((2, frames, 3, 4)).astype("float32")
    real, imag = np.split(convert_to_numpy(FeatureFFT()(x)), 2, axis=-1)
    expected = np.fft.rfft(x, axis=1, norm="ortho")
    np.testing.assert_allclose(real, expected.real, atol=1e-5)
    np.testing.assert_allclose(imag, expected.imag, atol=1e-5)


def test_inverse(rng):
    x = rng.standard_normal((2, 6, 3, 8)).astype("float32")
    real, imag = np.split(x, 2, axis=-1)
    expected = np.fft.irfft(real + 1j * imag, axis=1, norm="ortho")
    np.testing.assert_allclose(convert_to_numpy(InverseFeatureFFT()(x)), expected, atol=1e-5)


def test_refusal():
    with pytest.raises(InputError, match="received 5 features, expected an even number"):
        InverseFeatureFFT().build((None, None, 3, 5))
