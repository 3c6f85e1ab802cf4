"""From a trained model to a phone: export to TFLite, and run the file without TensorFlow.

Names load on first use: `Runtime` and `read_metadata` need NumPy and ai-edge-litert alone, and
`quantize` ai-edge-quantizer too.
"""

import importlib

_ATTRIBUTES = {
    "ExportError": "conversion",
    "ExportReport": "export_report",
    "Runtime": "runtime",
    "StreamRuntime": "stream_runtime",
    "bench": "benchmark",
    "export": "exporter",
    "quantize": "quantizer",
    "read_metadata": "metadata",
}

__all__ = list(_ATTRIBUTES)


def __getattr__(name):
    """Import what holds a name when it is first asked for."""
    if name in _ATTRIBUTES:
        return getattr(importlib.import_module(f"kerasep.tflite.{_ATTRIBUTES[name]}"), name)
    raise AttributeError(f"module 'kerasep.tflite' has no attribute {name!r}")


def __dir__():
    """List the lazy names too."""
    return sorted(__all__)
