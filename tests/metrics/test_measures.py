"""The scores of recordings against their formulas in float64."""

import numpy as np
import pytest

from kerasep.errors import InputError
from kerasep.metrics import MEASURES, scores


def decibels(signal, noise):
    return 10 * np.log10(np.sum(signal**2) / np.sum(noise**2))


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("level", [1e-2, 1.0])
def test_formulas(rng, channels, level):
    reference = level * rng.standard_normal((44100, channels)).astype("float32")
    estimate = reference * [0.5, 0.9][:channels] + 0.1 * level
    received = scores(reference, estimate.astype("float32"))
    assert received.keys() == MEASURES.keys()
    reference = reference.astype("float64")
    assert received["usdr"] == pytest.approx(decibels(reference, reference - estimate), abs=1e-3)
    each = []
    for s, e in zip(reference.T, estimate.T, strict=True):
        target = s * (s @ e) / (s @ s)
        each.append(decibels(target, target - e))
    assert received["si_sdr"] == pytest.approx(np.mean(each), abs=1e-3)


def test_a_silent_channel_counts_for_nothing(rng):
    reference = rng.standard_normal((8000, 2)).astype("float32")
    reference[:, 1] = 0
    estimate = reference + 0.1 * rng.standard_normal(reference.shape).astype("float32")
    s, e = reference[:, 0].astype("float64"), estimate[:, 0].astype("float64")
    target = s * (s @ e) / (s @ s)
    expected = decibels(target, target - e)
    assert scores(reference, estimate)["si_sdr"] == pytest.approx(expected, abs=1e-3)
    assert np.isfinite(scores(0 * reference, estimate)["si_sdr"])


def test_long_recordings_lose_no_precision(rng):
    """Ten minutes: a running sum in float32 would be off by decibels."""
    reference = (0.3 + 0.1 * rng.standard_normal((8_000_000, 1))).astype("float32")
    estimate = (reference + 0.01 * rng.standard_normal(reference.shape)).astype("float32")
    wide = reference.astype("float64")
    expected = decibels(wide, wide - estimate)
    assert scores(reference, estimate)["usdr"] == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("reference", "estimate"), [((100, 2), (100, 1)), ((100, 1), (99, 1)), ((100,), (100,))]
)
def test_shapes_that_are_refused(reference, estimate):
    with pytest.raises(InputError, match=r"expected \(samples, channels\) twice"):
        scores(np.ones(reference), np.ones(estimate))
