"""Reference architectures, one a file, each a `keras.Model` whose Functional graph is built at once."""

from kerasep.models.open_unmix_like import OpenUnmixLike
from kerasep.models.separation_model import SeparationModel

__all__ = ["OpenUnmixLike", "SeparationModel"]
