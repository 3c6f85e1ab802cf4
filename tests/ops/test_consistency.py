"""Mixture consistency against its formula, and its laws."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from keras.ops import convert_to_numpy

from kerasep import ops
from kerasep.errors import InputError

WEIGHTING = pytest.mark.parametrize("weighting", ["uniform", "power"])
DOMAIN = pytest.mark.parametrize("domain", ["waveform", "spectrum"])
SHAPES = {"waveform": (2, 40, 2, 3), "spectrum": (2, 6, 5, 2, 3, 2)}
SOURCES = {"waveform": 3, "spectrum": 4}


def pair(rng, domain):
    estimates = rng.standard_normal(SHAPES[domain]).astype("float32")
    mixture = rng.standard_normal(np.delete(SHAPES[domain], SOURCES[domain])).astype("float32")
    return estimates, mixture


def formula(estimates, mixture, weighting, domain):
    """Source by source, in float64."""
    estimates, mixture = estimates.astype("float64"), mixture.astype("float64")
    sources = np.moveaxis(estimates, SOURCES[domain], 0)
    rest = mixture - sources.sum(axis=0)
    if weighting == "uniform":
        weights = np.full(len(sources), 1 / len(sources))
    else:
        signal = (1, 2) if domain == "waveform" else (-1,)
        weights = np.stack([np.mean(source**2, axis=signal, keepdims=True) for source in sources])
        weights = weights / weights.sum(axis=0)
    result = [source + weight * rest for source, weight in zip(sources, weights, strict=True)]
    return np.stack(result, axis=SOURCES[domain])


@WEIGHTING
@DOMAIN
def test_formula(rng, weighting, domain):
    estimates, mixture = pair(rng, domain)
    received = convert_to_numpy(ops.mixture_consistency(estimates, mixture, weighting))
    expected = formula(estimates, mixture, weighting, domain)
    np.testing.assert_allclose(received, expected, atol=1e-5)


@WEIGHTING
@DOMAIN
@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 999), level=st.sampled_from([0, 1e-8, 1, 1e4]), silent=st.booleans())
def test_estimates_sum_to_the_mixture(weighting, domain, seed, level, silent):
    estimates, mixture = pair(np.random.default_rng(seed), domain)
    mixture = mixture * np.float32(level)
    estimates = estimates * np.float32(0 if silent else level)
    result = convert_to_numpy(ops.mixture_consistency(estimates, mixture, weighting))
    assert np.isfinite(result).all()
    total = result.sum(axis=SOURCES[domain])
    np.testing.assert_allclose(total, mixture, rtol=0, atol=4e-6 * level)
    # Estimates that sum to the mixture do not change.
    again = convert_to_numpy(ops.mixture_consistency(result, mixture, weighting))
    np.testing.assert_allclose(again, result, rtol=0, atol=1e-5 * level)


@WEIGHTING
@DOMAIN
def test_sources_may_be_permuted(rng, weighting, domain):
    estimates, mixture = pair(rng, domain)
    order, axis = [2, 0, 1], SOURCES[domain]
    result = convert_to_numpy(ops.mixture_consistency(estimates, mixture, weighting))
    swapped = np.take(estimates, order, axis)
    permuted = convert_to_numpy(ops.mixture_consistency(swapped, mixture, weighting))
    np.testing.assert_allclose(permuted, np.take(result, order, axis), atol=1e-5)


@DOMAIN
def test_a_silent_estimate_stays_silent_when_weighted(rng, domain):
    estimates, mixture = pair(rng, domain)
    where = (slice(None),) * SOURCES[domain] + (1,)
    estimates[where] = 0
    result = convert_to_numpy(ops.mixture_consistency(estimates, mixture, "power"))
    assert np.abs(result[where]).max() < 1e-5
    result = convert_to_numpy(ops.mixture_consistency(estimates, mixture))
    assert np.abs(result[where]).max() > 0.1


@WEIGHTING
def test_gradients_are_finite_at_silence(gradients, weighting):
    estimates, mixture = np.zeros((1, 8, 1, 2)), np.ones((1, 8, 1))

    def power(*tensors):
        return (ops.mixture_consistency(*tensors, weighting) ** 2)[0, 0, 0, 0]

    _, (of_estimates, of_mixture) = gradients(power, estimates, mixture)
    expected = np.zeros((1, 8, 1, 2))
    expected[0, 0, 0] = [0.5, -0.5]
    np.testing.assert_allclose(of_estimates, expected, atol=1e-6)
    np.testing.assert_allclose(of_mixture, expected[..., 0], atol=1e-6)


def test_refusals():
    waveform, mixture = np.zeros((1, 8, 1, 2)), np.zeros((1, 8, 1))
    with pytest.raises(InputError, match="weighting='magsq'"):
        ops.mixture_consistency(waveform, mixture, "magsq")
    with pytest.raises(InputError, match="expected waveforms"):
        ops.mixture_consistency(waveform, waveform)
