"""Spectrogram losses against their formulas in float64."""

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import losses
from kerasep.errors import InputError


def expected_target(loss, reference):
    spectra = reference[..., 0].astype("float64") + 1j * reference[..., 1]
    mixture, stems = spectra[..., :1], spectra[..., 1:]
    if isinstance(loss, losses.MagnitudeSpectrum):
        return np.abs(stems)
    in_phase = np.abs(stems) * np.cos(np.angle(stems) - np.angle(mixture))
    if isinstance(loss, losses.PhaseSensitive):
        return in_phase
    return np.clip(in_phase, 0, loss.limit * np.abs(mixture))


@pytest.mark.parametrize("p", [1, 1.5, 2])
@pytest.mark.parametrize(
    ("cls", "options"),
    [
        (losses.MagnitudeSpectrum, {}),
        (losses.PhaseSensitive, {}),
        (losses.TruncatedPhaseSensitive, {}),
        (losses.TruncatedPhaseSensitive, {"limit": 1.5}),
    ],
)
def test_formula(rng, cls, options, p):
    reference = rng.standard_normal((2, 9, 5, 2, 4, 2)).astype("float32")
    estimate = rng.random((2, 9, 5, 2, 3)).astype("float32")
    loss = cls(p=p, reduction=None, **options)
    difference = estimate - expected_target(loss, reference)
    expected = (np.abs(difference) ** p).mean(axis=(1, 2, 3, 4))
    np.testing.assert_allclose(convert_to_numpy(loss(reference, estimate)), expected, rtol=1e-5)


@pytest.mark.parametrize("p", [1, 1.0001, 1.5, 2, 2.5, 3])
def test_gradient_of_any_p(rng, gradients, p):
    """The gradient is 0 for bins in which estimate and target are equal."""
    # Magnitudes without rounding errors, so that equal bins are exactly equal.
    reference = rng.integers(1, 9, (1, 9, 5, 2, 4, 2)).astype("float32") * np.float32([1, 0])
    loss = losses.MagnitudeSpectrum(p)
    target = convert_to_numpy(loss.target(reference))
    difference = rng.choice([-1.5, -0.25, 0.5, 2.0], target.shape).astype("float32")
    difference[:, ::2] = 0
    estimate = target + difference
    expected = p * np.sign(difference) * np.abs(difference) ** (p - 1) / difference.size
    _, (_, received) = gradients(loss, reference, estimate)
    np.testing.assert_allclose(received, expected, atol=1e-5 / p)


def test_p_below_one():
    with pytest.raises(InputError, match=r"p=0\.5"):
        losses.MagnitudeSpectrum(p=0.5)
    with pytest.raises(InputError, match="p=0"):
        losses.Waveform(p=0)
    with pytest.raises(InputError, match="p=inf"):
        losses.Waveform(p=float("inf"))
