"""Data set discovery and checks, and tf.data input pipelines.

Names load on first use: reading and writing audio needs neither TensorFlow nor Keras.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
