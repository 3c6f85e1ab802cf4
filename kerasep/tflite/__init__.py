"""From a trained model to a phone: export to TFLite, and run the file without TensorFlow.

Names load on first use: `Runtime` and `read_metadata` need NumPy and ai-edge-litert alone, and
`quantize` ai-edge-quantizer too.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
