"""kerasep: the Keras model zoo for audio source separation.

Names load on first use: `kerasep.tflite.Runtime` needs neither TensorFlow nor Keras.
"""

import lazy_loader

from kerasep.system.saved_classes import find_when_needed

__version__ = "0.1.0"

find_when_needed()
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
