"""Layers rewritten for TFLite: the same results from operations that it has, or runs faster."""
