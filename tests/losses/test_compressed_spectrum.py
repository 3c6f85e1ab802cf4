"""The distance of compressed spectra against frames and FFTs written out in float64."""

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import losses
from kerasep.errors import InputError


def compressed(x, n_fft, hop, power):
    window = np.sin(np.pi * np.arange(n_fft) / n_fft)
    x = np.pad(x.astype("float64"), n_fft // 2)
    starts = range(0, len(x) - n_fft + 1, hop)
    spectrum = np.fft.rfft([window * x[start : start + n_fft] for start in starts])
    magnitude = np.sqrt(np.abs(spectrum) ** 2 + 1e-12)
    return spectrum * magnitude ** (power - 1), magnitude**power


def test_formula(rng):
    s, e = rng.standard_normal((2, 1, 1000, 1, 2)).astype("float32")
    settings = {"power": 0.4, "complex_weight": 3.0, "magnitude_weight": 7.0}
    loss = losses.CompressedSpectrum(**settings, n_fft=128, hop=32)
    expected = 0
    for source in range(2):
        true, true_magnitude = compressed(s[0, :, 0, source], 128, 32, 0.4)
        estimate, magnitude = compressed(e[0, :, 0, source], 128, 32, 0.4)
        expected += 3 * np.mean(np.abs(true - estimate) ** 2) / 2
        expected += 7 * np.mean((true_magnitude - magnitude) ** 2) / 2
    np.testing.assert_allclose(convert_to_numpy(loss(s, e)), expected, rtol=1e-4)


def test_refusals():
    with pytest.raises(InputError, match=r"power=0, expected"):
        losses.CompressedSpectrum(power=0)
    with pytest.raises(InputError, match="hop=500"):
        losses.CompressedSpectrum(hop=500)
