"""Audio files and data sets, from the disk to batches for training.

Names load on first use: reading and writing audio needs neither TensorFlow nor Keras.
"""

import importlib

_SUBMODULES = (
    "audio",
    "augmentation",
    "batches",
    "checking",
    "failures",
    "missing_stems",
    "pipelines",
    "pools",
    "prepared",
    "scale",
    "servers",
    "service",
    "shards",
    "spectra",
    "synthetic",
    "tracks",
)
_ATTRIBUTES = {
    "check": "checking",
    "info": "audio",
    "read": "audio",
    "stream": "audio",
    "write": "audio",
    "Pool": "pools",
    "find_pool": "pools",
    "serving": "servers",
    "Track": "tracks",
    "find_tracks": "tracks",
    "prepare": "preparation",
    "song": "synthetic",
    "write_songs": "synthetic",
    "spectrograms": "pipelines",
    "waveforms": "pipelines",
}

__all__ = [*_SUBMODULES, *_ATTRIBUTES]


def __getattr__(name):
    """Import a submodule, or the function that one of them holds, when it is first asked for."""
    if name in _SUBMODULES:
        return importlib.import_module(f"kerasep.data.{name}")
    if name in _ATTRIBUTES:
        return getattr(importlib.import_module(f"kerasep.data.{_ATTRIBUTES[name]}"), name)
    raise AttributeError(f"module 'kerasep.data' has no attribute {name!r}")


def __dir__():
    """List the lazy names too."""
    return sorted(__all__)
