"""PESQ and STOI of speech, by the packages that compute them."""

import importlib
import math
import warnings
from collections.abc import Iterable

import numpy as np
import soxr

from kerasep.errors import InputError, installed_by

_RATES = {"pesq_wb": 16000, "pesq_nb": 8000}
_PACKAGES = {"pesq_wb": "pesq", "pesq_nb": "pesq", "stoi": "pystoi", "estoi": "pystoi"}


def check_installed(measures: Iterable[str]) -> None:
    """Raise an error if the package that computes a measure is missing.

    Args:
        measures: names of any measures. PESQ needs the package pesq, STOI needs pystoi.

    Raises:
        InputError: if one is missing. The line says what to install.

    Example:
    >>> check_installed(["si_sdr", "usdr"])
    """
    for package in sorted({_PACKAGES[name] for name in measures if name in _PACKAGES}):
        with installed_by("kerasep[speech]"):
            importlib.import_module(package)


def speech_scores(
    reference: np.ndarray, estimate: np.ndarray, sample_rate: int, measures: Iterable[str]
) -> dict[str, float]:
    """Score the estimate of one voice by PESQ or STOI.

    Waveforms are resampled to the rate of the measure: 16 kHz for wide-band and 8 kHz for
    narrow-band PESQ.

    Args:
        reference: the true waveform `(samples, channels)`, full scale ±1.
        estimate: its estimate, of the same shape.
        sample_rate: in Hz.
        measures: "pesq_wb", "pesq_nb", "stoi" or "estoi".

    Returns:
        Dict from measure to its mean over the channels with sound: PESQ from 1 to 4.64, STOI from 0
        to 1. NaN if it cannot be computed: of silence, and of less than about half a second.

    Raises:
        InputError: if the shapes differ, a name is unknown, or a package is missing.

    Example:
    >>> import numpy as np
    >>> speech_scores(np.zeros((8000, 1)), np.ones((8000, 1)), 8000, [])
    {}

    Reference:
        Rix et al. 2001, "Perceptual evaluation of speech quality (PESQ)". Taal et al. 2011, "An
        algorithm for intelligibility prediction of time-frequency weighted noisy speech".
    """
    if np.ndim(reference) != 2 or np.shape(reference) != np.shape(estimate):
        raise InputError(
            f"received a reference {np.shape(reference)} and an estimate {np.shape(estimate)}, "
            f"expected (samples, channels) twice"
        )
    results = {}
    for name in measures:
        if name not in _PACKAGES:
            known = ", ".join(_PACKAGES)
            raise InputError(f"received the measure {name!r}, expected one of {known}")
        check_installed([name])
        measure = _pesq if name in _RATES else _stoi
        channels = zip(np.transpose(reference), np.transpose(estimate), strict=True)
        scores = [measure(name, *pair, sample_rate) for pair in channels if np.any(pair[0])]
        results[name] = float(np.mean(scores)) if scores else math.nan
    return results


def _pesq(name, reference, estimate, sample_rate):
    import pesq

    rate = _RATES[name]
    if rate != sample_rate:
        reference, estimate = (soxr.resample(x, sample_rate, rate) for x in (reference, estimate))
    errors = pesq.PesqError
    score = pesq.pesq(
        rate, reference, estimate, name.removeprefix("pesq_"), on_error=errors.RETURN_VALUES
    )
    return score if score > 0 else math.nan  # the package returns -1 for what it cannot score


def _stoi(name, reference, estimate, sample_rate):
    import pystoi

    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        try:
            score = pystoi.stoi(reference, estimate, sample_rate, extended=name == "estoi")
        except RuntimeWarning:  # of too few frames with speech
            return math.nan
    return float(score)
