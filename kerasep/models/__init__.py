"""Reference architectures, one a file, each a Functional `keras.Model`."""

from kerasep.models.demucs_like import DemucsLike
from kerasep.models.open_unmix_like import OpenUnmixLike
from kerasep.models.separation_model import SeparationModel
from kerasep.models.wave_unet_like import WaveUNetLike

__all__ = ["DemucsLike", "OpenUnmixLike", "SeparationModel", "WaveUNetLike"]
