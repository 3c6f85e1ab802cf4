"""kerasep: the Keras model zoo for audio source separation.

Submodules load on first use, so that `kerasep.tflite.Runtime` works without TensorFlow or Keras.
"""

import importlib

__version__ = "0.1.0"

_SUBMODULES = (
    "archives",
    "chunks",
    "cli",
    "data",
    "demo",
    "devices",
    "errors",
    "evaluation",
    "importers",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "recipes",
    "recordings",
    "report",
    "separation",
    "separator",
    "streaming",
    "targets",
    "tflite",
    "training",
    "zoo",
)
_ATTRIBUTES = {"separate": "separation", "Separator": "separator"}

__all__ = [*_SUBMODULES, *_ATTRIBUTES, "__version__"]


def __getattr__(name):
    """Import a submodule, or the function that one of them holds, when it is first asked for."""
    if name in _SUBMODULES:
        return importlib.import_module(f"kerasep.{name}")
    if name in _ATTRIBUTES:
        return getattr(importlib.import_module(f"kerasep.{_ATTRIBUTES[name]}"), name)
    raise AttributeError(f"module 'kerasep' has no attribute {name!r}")


def __dir__():
    """List the lazy names too."""
    return sorted(__all__)
