"""Measures of separation, as functions of NumPy arrays or tensors."""

from kerasep.metrics.measures import MEASURES, scores

__all__ = ["MEASURES", "scores"]
