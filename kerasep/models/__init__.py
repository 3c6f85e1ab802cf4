"""Reference architectures, one a file, each a Functional `keras.Model`."""

from kerasep.models.open_unmix_like import OpenUnmixLike
from kerasep.models.separation_model import SeparationModel

__all__ = ["OpenUnmixLike", "SeparationModel"]
