"""kerasep: the Keras model zoo for audio source separation.

Names load on first use: `kerasep.tflite.Runtime` needs neither TensorFlow nor Keras.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
