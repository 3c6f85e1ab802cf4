"""Measures of separation quality: Keras metrics, and functions of whole recordings."""

from kerasep.metrics.bss_eval import bss_eval, median_over_frames
from kerasep.metrics.measures import (
    BSS_EVAL,
    DNSMOS,
    MEASURES,
    SPEECH,
    check_measures,
    scores,
    unit,
)
from kerasep.metrics.ratios import SDSDR, SISDR, SISNR, SNR, USDR
from kerasep.metrics.speech import check_installed, speech_scores

__all__ = [
    "BSS_EVAL",
    "DNSMOS",
    "MEASURES",
    "SDSDR",
    "SISDR",
    "SISNR",
    "SNR",
    "SPEECH",
    "USDR",
    "bss_eval",
    "check_installed",
    "check_measures",
    "median_over_frames",
    "scores",
    "speech_scores",
    "unit",
]
