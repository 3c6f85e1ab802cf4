"""Measures of speech that packages compute: what they are passed, and what is made of it."""

import sys
import types
import warnings

import numpy as np
import pytest
import soxr

from kerasep.errors import InputError
from kerasep.metrics import check_installed, check_measures, speech_scores, unit


@pytest.fixture
def calls(monkeypatch):
    """Stand-ins of both packages, and the list of what they are called with."""
    calls = []

    def pesq(*arguments, on_error):
        calls.append(("pesq", *arguments))
        return -1 if on_error == "values" and not np.any(arguments[2]) else 1.5 + len(calls)

    def stoi(*arguments, extended):
        calls.append(("estoi" if extended else "stoi", *arguments))
        if len(arguments[0]) < 1000:
            warnings.warn("Not enough STFT frames", RuntimeWarning, stacklevel=1)
        return np.float64(0.25)

    errors = types.SimpleNamespace(RETURN_VALUES="values")
    monkeypatch.setitem(sys.modules, "pesq", types.SimpleNamespace(pesq=pesq, PesqError=errors))
    monkeypatch.setitem(sys.modules, "pystoi", types.SimpleNamespace(stoi=stoi))
    return calls


def test_pesq_at_its_rates_and_as_the_mean_of_channels(calls, rng):
    reference, estimate = rng.standard_normal((2, 16000, 2)).astype("float32")
    assert speech_scores(reference, estimate, 16000, ["pesq_wb"]) == {"pesq_wb": 3.0}
    for channel, (name, rate, *signals, mode) in enumerate(calls):
        assert (name, rate, mode) == ("pesq", 16000, "wb")
        np.testing.assert_array_equal(signals, [reference[:, channel], estimate[:, channel]])
    speech_scores(reference, estimate, 16000, ["pesq_nb"])
    _, rate, received, _, mode = calls[-1]
    assert (rate, mode) == (8000, "nb")
    np.testing.assert_allclose(received, soxr.resample(reference[:, 1], 16000, 8000), atol=1e-6)


def test_stoi_at_the_signals_own_rate(calls, rng):
    reference, estimate = rng.standard_normal((2, 2000, 1)).astype("float32")
    scores = speech_scores(reference, estimate, 44100, ["estoi", "stoi"])
    assert scores == {"estoi": 0.25, "stoi": 0.25}
    assert [(call[0], call[3]) for call in calls] == [("estoi", 44100), ("stoi", 44100)]


def test_what_cannot_be_scored(calls, rng):
    noise = rng.standard_normal((999, 1)).astype("float32")
    assert np.isnan(speech_scores(noise, 0 * noise, 16000, ["pesq_wb"])["pesq_wb"])
    assert np.isnan(speech_scores(noise, noise, 16000, ["stoi"])["stoi"])
    calls.clear()
    assert np.isnan(speech_scores(0 * noise, noise, 16000, ["pesq_wb"])["pesq_wb"])
    assert not calls


@pytest.mark.parametrize(("measure", "package"), [("pesq_nb", "pesq"), ("estoi", "pystoi")])
def test_a_missing_package(monkeypatch, measure, package):
    monkeypatch.setitem(sys.modules, package, None)
    check_installed(["usdr"])
    for use in (check_installed, lambda names: speech_scores(*np.ones((2, 9, 1)), 8000, names)):
        with pytest.raises(InputError, match=rf"no package {package}.*kerasep\[speech\]"):
            use([measure])


def test_what_is_refused():
    with pytest.raises(InputError, match="'snr', expected one of pesq_wb"):
        speech_scores(*np.ones((2, 9, 1)), 8000, ["snr"])
    with pytest.raises(InputError, match=r"expected \(samples, channels\) twice"):
        speech_scores(np.ones((9, 1)), np.ones((8, 1)), 8000, ["stoi"])


def test_names_and_units():
    assert check_measures(["dnsmos", "stoi"]) == (
        *("dnsmos_sig", "dnsmos_bak", "dnsmos_ovrl"),
        "stoi",
    )
    assert [unit(name) for name in ("pesq_wb", "dnsmos_ovrl", "bss_sdr")] == ["", "", "dB"]
