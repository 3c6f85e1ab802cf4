"""Waveform losses against their formulas in float64, and their invariances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras.ops import convert_to_numpy

from kerasep import losses


def decibels(signal, noise):
    return 10 * np.log10((signal**2).sum(axis=1) / (noise**2).sum(axis=1))


def formula(cls, s, e):
    s, e = s.astype("float64"), e.astype("float64")
    if cls is losses.SISNR:
        s, e = s - s.mean(axis=1, keepdims=True), e - e.mean(axis=1, keepdims=True)
    dot = (s * e).sum(axis=1, keepdims=True)
    target = s if cls is losses.SNR else s * dot / (s**2).sum(axis=1, keepdims=True)
    noise = (target if cls in (losses.SISNR, losses.SISDR) else s) - e
    return -decibels(target, noise).mean(axis=(1, 2))


def noisy(rng):
    reference = rng.standard_normal((3, 700, 2, 2)).astype("float32")
    estimate = 0.6 * reference + 0.2 + 0.5 * rng.standard_normal(reference.shape)
    return reference, estimate.astype("float32")


@pytest.mark.parametrize("cls", [losses.SNR, losses.SISDR, losses.SISNR, losses.SDSDR])
def test_ratios(rng, cls):
    pair = noisy(rng)
    received = convert_to_numpy(cls(reduction=None)(*pair))
    np.testing.assert_allclose(received, formula(cls, *pair), atol=1e-4)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_distance(rng, p):
    reference, estimate = noisy(rng)
    expected = (np.abs(reference - estimate.astype("float64")) ** p).mean(axis=(1, 2, 3))
    received = convert_to_numpy(losses.Waveform(p, reduction=None)(reference, estimate))
    np.testing.assert_allclose(received, expected, rtol=1e-5)


@pytest.mark.parametrize("limit", [10.0, 30.0])
def test_thresholded_snr(rng, limit):
    s, e = (signal.astype("float64") for signal in noisy(rng))
    noise = ((s - e) ** 2).sum(axis=1) + 10 ** (-limit / 10) * (s**2).sum(axis=1)
    expected = -10 * np.log10((s**2).sum(axis=1) / noise).mean(axis=(1, 2))
    received = convert_to_numpy(losses.ThresholdedSNR(limit, reduction=None)(s, e))
    np.testing.assert_allclose(received, expected, atol=1e-4)
    best = convert_to_numpy(losses.ThresholdedSNR(limit)(s, s))
    assert best == pytest.approx(-limit, abs=1e-3)


def test_log_l1(rng):
    s, e = (signal.astype("float64") for signal in noisy(rng))
    expected = 10 * np.log10(np.abs(s - e).mean(axis=1)).mean(axis=(1, 2))
    received = convert_to_numpy(losses.LogL1(reduction=None)(s, e))
    np.testing.assert_allclose(received, expected, atol=1e-4)


@pytest.mark.parametrize(("samples", "least"), [(1, -40), (100, -60), (10_000, -80), (20_000, -80)])
def test_log_l1_of_perfection(samples, least):
    s = np.ones((1, samples, 1, 1), "float32")
    assert float(losses.LogL1()(s, s)) == pytest.approx(least, abs=0.1)


@settings(max_examples=20, deadline=None)
@given(scale=st.floats(0.05, 50), offset=st.floats(-3, 3))
def test_scale_and_offset(scale, offset):
    reference, estimate = noisy(np.random.default_rng(2))
    for loss, changed in [
        (losses.SISDR(), scale * estimate),
        (losses.SISNR(), scale * estimate + offset),
    ]:
        np.testing.assert_allclose(
            convert_to_numpy(loss(reference, changed)),
            convert_to_numpy(loss(reference, estimate)),
            atol=1e-2,
        )


def test_a_wrong_level_costs_where_it_should(rng):
    reference, estimate = noisy(rng)
    for loss in (losses.SNR(), losses.SDSDR()):
        halved = convert_to_numpy(loss(reference, 0.5 * estimate))
        assert halved - convert_to_numpy(loss(reference, estimate)) > 0.5
