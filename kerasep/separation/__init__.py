"""Separate waveforms, recordings of any length, and archives of recordings.

Names load on first use: `kerasep.separation.chunks` needs NumPy alone.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
