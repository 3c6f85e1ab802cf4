"""TFLite: exporting models, and running the files without TensorFlow.

Names load on first use: `Runtime` and `read_metadata` need only NumPy and ai-edge-litert, and
`quantize` also ai-edge-quantizer.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
