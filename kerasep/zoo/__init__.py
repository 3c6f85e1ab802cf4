"""The zoo: named architectures, presets of their settings, and models by name.

Names load on first use: what the presets say needs no Keras.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
