"""Measures of separation, as functions of NumPy arrays or tensors."""

from kerasep.metrics.bss_eval import bss_eval, median_over_frames
from kerasep.metrics.measures import MEASURES, scores

__all__ = ["MEASURES", "bss_eval", "median_over_frames", "scores"]
