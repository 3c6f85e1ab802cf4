"""Causal models frame by frame, with explicit state: blocks of any size in, sources out.

Names load on first use: `kerasep.streaming.buffering` needs NumPy alone.
"""

import importlib

_ATTRIBUTES = {"Streamer": "streamer", "StreamingStep": "step"}

__all__ = list(_ATTRIBUTES)


def __getattr__(name):
    """Import what holds a name when it is first asked for."""
    if name in _ATTRIBUTES:
        return getattr(importlib.import_module(f"kerasep.streaming.{_ATTRIBUTES[name]}"), name)
    raise AttributeError(f"module 'kerasep.streaming' has no attribute {name!r}")


def __dir__():
    """List the lazy names too."""
    return sorted(__all__)
