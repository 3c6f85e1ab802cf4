"""Ratios against their formulas in float64, and of silent and perfect signals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras.ops import convert_to_numpy

from kerasep import ops

NAMES = ("snr", "si_sdr", "si_snr", "sd_sdr")


def expected(name, reference, estimate):
    """Compute a ratio of two vectors by the formula of its paper."""
    s, e = reference.astype("float64"), estimate.astype("float64")
    if name == "si_snr":
        s, e = s - s.mean(), e - e.mean()
    target = s if name == "snr" else s * (s @ e) / (s @ s)
    noise = (target if name in ("si_sdr", "si_snr") else s) - e
    return 10 * np.log10((target @ target) / (noise @ noise))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("level", [1e-2, 1.0, 1e4])
def test_formula(rng, name, level):
    reference = level * rng.standard_normal((3, 4000, 2)).astype("float32")
    estimate = 0.7 * reference + 0.3 * level * rng.standard_normal((3, 4000, 2)) + 0.1 * level
    estimate = estimate.astype("float32")
    received = convert_to_numpy(getattr(ops, name)(reference, estimate))
    assert received.shape == (3, 2)
    for index in np.ndindex(3, 2):
        pair = (signal[index[0], :, index[1]] for signal in (reference, estimate))
        assert received[index] == pytest.approx(expected(name, *pair), abs=1e-3)


def test_several_axes_make_one_signal(rng):
    reference, estimate = rng.standard_normal((2, 500, 2)).astype("float32")
    received = convert_to_numpy(ops.snr(reference, estimate, axis=(0, 1)))
    assert received == pytest.approx(expected("snr", reference.ravel(), estimate.ravel()), abs=1e-3)


@settings(max_examples=20, deadline=None)
@given(scale=st.floats(0.05, 100), offset=st.floats(-5, 5))
def test_invariances(scale, offset):
    reference, estimate = np.random.default_rng(1).standard_normal((2, 1, 800, 1))
    for name, changed in [
        ("si_sdr", scale * estimate),
        ("si_snr", scale * estimate + offset),
    ]:
        ratio = getattr(ops, name)
        np.testing.assert_allclose(
            convert_to_numpy(ratio(reference, changed)),
            convert_to_numpy(ratio(reference, estimate)),
            atol=1e-2,
        )


@pytest.mark.parametrize("name", NAMES)
def test_order_of_the_ends(rng, name):
    """The ratio of a perfect estimate is finite and far above those of noisy estimates."""
    ratio = getattr(ops, name)
    s, n = rng.standard_normal((2, 1, 1000, 1)).astype("float32")
    perfect, close, far = (
        convert_to_numpy(ratio(s, e)).item() for e in (s, s + 0.01 * n, s + 10 * n)
    )
    assert np.isfinite(perfect)
    assert perfect > 80 > 45 > close > 35 > 0 > far
