"""The scores of recordings against their formulas in float64."""

import numpy as np
import pytest

from kerasep.errors import InputError
from kerasep.metrics import BSS_EVAL, MEASURES, check_measures, scores

RATIOS = ("si_sdr", "si_snr", "sd_sdr", "snr")


def decibels(signal, noise):
    return 10 * np.log10(np.sum(signal**2) / np.sum(noise**2))


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("level", [1e-2, 1.0])
def test_formulas(rng, channels, level):
    reference = level * rng.standard_normal((44100, channels)).astype("float32")
    estimate = reference * [0.5, 0.9][:channels] + 0.1 * level
    received = scores(reference, estimate.astype("float32"))
    assert list(received) == ["si_sdr", "usdr"]
    reference = reference.astype("float64")
    assert received["usdr"] == pytest.approx(decibels(reference, reference - estimate), abs=1e-3)
    each = []
    for s, e in zip(reference.T, estimate.T, strict=True):
        target = s * (s @ e) / (s @ s)
        each.append(decibels(target, target - e))
    assert received["si_sdr"] == pytest.approx(np.mean(each), abs=1e-3)


def test_a_choice_of_measures(rng):
    reference = rng.standard_normal((44100, 2)) + 0.2
    estimate = 0.7 * reference + 0.1 * rng.standard_normal((44100, 2)) + 0.3
    received = scores(*(x.astype("float32") for x in (reference, estimate)), RATIOS)
    expected = {name: [] for name in RATIOS}
    for s, e in zip(reference.T, estimate.T, strict=True):
        target = s * (s @ e) / (s @ s)
        expected["si_sdr"].append(decibels(target, target - e))
        expected["sd_sdr"].append(decibels(target, s - e))
        expected["snr"].append(decibels(s, s - e))
        s, e = s - s.mean(), e - e.mean()
        target = s * (s @ e) / (s @ s)
        expected["si_snr"].append(decibels(target, target - e))
    for name in RATIOS:
        assert received[name] == pytest.approx(np.mean(expected[name]), abs=1e-3), name


def test_a_silent_channel_is_left_out(rng):
    reference = rng.standard_normal((1000, 2)).astype("float32")
    estimate = reference + 0.1
    alone = scores(reference[:, :1], estimate[:, :1])["si_sdr"]
    reference[:, 1] = 0
    assert scores(reference, estimate)["si_sdr"] == pytest.approx(alone, abs=1e-5)


def test_a_silent_reference_has_no_score(rng):
    estimate = rng.standard_normal((1000, 2)).astype("float32")
    received = scores(0 * estimate, estimate, (*RATIOS, "usdr"))
    assert np.isnan(list(received.values())).all()
    received = scores(estimate, 0 * estimate, (*RATIOS, "usdr"))
    assert received["snr"] == pytest.approx(0, abs=1e-4)
    assert received["usdr"] == pytest.approx(0, abs=1e-4)
    assert received["sd_sdr"] < -100
    assert np.isfinite([received["si_sdr"], received["si_snr"]]).all()


def test_every_measure_names_its_convention():
    assert all(len(convention) > 20 or name == "snr" for name, convention in MEASURES.items())
    assert all("BSS Eval v4" in MEASURES[name] for name in BSS_EVAL)
    assert check_measures(["snr", "bss_eval", "snr"]) == ("snr", *BSS_EVAL)


@pytest.mark.parametrize("names", [[], ["sdr"], ["usdr", ""]])
def test_measures_that_are_refused(names):
    with pytest.raises(InputError, match=r"received the measures .*expected some of si_sdr"):
        check_measures(names)
    if names:
        with pytest.raises(InputError, match="received the measure"):
            scores(np.ones((10, 1)), np.ones((10, 1)), names)


def test_long_recordings_lose_no_precision(rng):
    """A running sum in float32 over ten minutes would be off by decibels."""
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
