"""Sampling: which crops make an example, how they are mixed and augmented."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
