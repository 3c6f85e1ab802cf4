"""Separate waveforms, recordings of any length, and archives of recordings.

Read in this order: `separator` (a model as waveform to waveforms), `chunks` (signals of any
length), `recordings` and `stem_files` (audio files and their stems), `archives` (many files).
Names load on first use: `kerasep.separation.chunks` needs NumPy alone.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
