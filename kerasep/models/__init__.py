"""Reference architectures, one a file, each a Functional `keras.Model`.

Every subclass of `SeparationModel` that a file of this folder defines is found here by itself.
"""

import importlib
import pkgutil

from kerasep.models.separation_model import SeparationModel


def _found():
    for file in pkgutil.iter_modules(__path__, f"{__name__}."):
        for value in vars(importlib.import_module(file.name)).values():
            if isinstance(value, type) and issubclass(value, SeparationModel):
                yield value


_CLASSES = {model.__name__: model for model in _found()}
globals().update(_CLASSES)

__all__ = sorted(_CLASSES)
