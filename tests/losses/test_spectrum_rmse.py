"""The root-mean-square error of spectra against frames and FFTs written out in float64."""

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import losses


@pytest.mark.parametrize("samples", [1000, 20])
def test_formula(rng, samples):
    true, estimated = rng.standard_normal((2, 2, samples, 2, 3)).astype("float32")
    error = (true - estimated).astype("float64")
    missing = max(0, 33 - samples)  # half a frame can be mirrored
    error = np.pad(error, [(0, 0), (missing // 2, missing - missing // 2), (0, 0), (0, 0)])
    error = np.pad(error, [(0, 0), (32, 32), (0, 0), (0, 0)], mode="reflect")
    starts = range(0, error.shape[1] - 63, 16)
    spectra = np.fft.rfft([error[:, start : start + 64] for start in starts], axis=2)
    power = np.stack([spectra.real, spectra.imag]) ** 2 / 64
    expected = np.sqrt(power.mean(axis=(0, 1, 3, 4))).mean(axis=-1)
    loss = losses.SpectrumRMSE(n_fft=64, hop=16, reduction=None)
    np.testing.assert_allclose(convert_to_numpy(loss(true, estimated)), expected, rtol=1e-4)
