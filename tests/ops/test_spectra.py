"""Magnitudes and masks."""

import numpy as np
from keras import ops as keras_ops
from keras.ops import convert_to_numpy

from kerasep import ops


def test_magnitude(rng):
    spectrum = rng.standard_normal((2, 3, 4, 1, 2)).astype("float32")
    expected = np.abs(spectrum[..., 0] + 1j * spectrum[..., 1])
    np.testing.assert_allclose(convert_to_numpy(ops.magnitude(spectrum)), expected, rtol=1e-6)


def test_magnitude_has_a_gradient_at_silence(gradients):
    spectrum = np.array([[0.0, 0.0], [3.0, 4.0]], "float32")
    value, (gradient,) = gradients(lambda x: keras_ops.sum(ops.magnitude(x)), spectrum)
    assert value == 5
    np.testing.assert_allclose(gradient, [[0, 0], [0.6, 0.8]], rtol=1e-6)


def test_masks_apply_to_magnitudes_and_to_spectra(rng):
    spectrum = rng.standard_normal((1, 3, 4, 2, 2)).astype("float32")
    mask = rng.random((1, 3, 4, 2, 5)).astype("float32")
    spectra = convert_to_numpy(ops.apply_mask(mask, spectrum))
    magnitudes = convert_to_numpy(ops.apply_mask(mask, ops.magnitude(spectrum)))
    assert spectra.shape == (1, 3, 4, 2, 5, 2)
    np.testing.assert_allclose(magnitudes, convert_to_numpy(ops.magnitude(spectra)), rtol=1e-5)
    np.testing.assert_allclose(spectra[..., 3, :], mask[..., 3, None] * spectrum, rtol=1e-6)
