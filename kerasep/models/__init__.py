"""Reference architectures, one per file, each a Functional `keras.Model`."""

from kerasep.models.chimera_like import ChimeraLike
from kerasep.models.conditioned_unet_like import ConditionedUNetLike
from kerasep.models.conv_tasnet_like import ConvTasNetLike
from kerasep.models.deep_attractor_like import DeepAttractorLike
from kerasep.models.deep_clustering_like import DeepClusteringLike
from kerasep.models.demucs_like import DemucsLike
from kerasep.models.dprnn_like import DPRNNLike
from kerasep.models.mask_inference_like import MaskInferenceLike
from kerasep.models.open_unmix_like import OpenUnmixLike
from kerasep.models.separation_model import SeparationModel
from kerasep.models.spleeter_like import SpleeterLike
from kerasep.models.tasnet_like import TasNetLike
from kerasep.models.unet_like import UNetLike
from kerasep.models.wave_unet_like import WaveUNetLike

__all__ = [
    "ChimeraLike",
    "ConditionedUNetLike",
    "ConvTasNetLike",
    "DPRNNLike",
    "DeepAttractorLike",
    "DeepClusteringLike",
    "DemucsLike",
    "MaskInferenceLike",
    "OpenUnmixLike",
    "SeparationModel",
    "SpleeterLike",
    "TasNetLike",
    "UNetLike",
    "WaveUNetLike",
]
