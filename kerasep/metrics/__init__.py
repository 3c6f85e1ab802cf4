"""Measures of separation quality: Keras metrics, and functions of whole recordings."""

from kerasep.metrics.bss_eval import bss_eval, median_over_frames
from kerasep.metrics.measures import BSS_EVAL, MEASURES, check_measures, scores
from kerasep.metrics.ratios import SDSDR, SISDR, SISNR, SNR, USDR

__all__ = [
    "BSS_EVAL",
    "MEASURES",
    "SDSDR",
    "SISDR",
    "SISNR",
    "SNR",
    "USDR",
    "bss_eval",
    "check_measures",
    "median_over_frames",
    "scores",
]
