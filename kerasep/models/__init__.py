"""Reference architectures, one per file, each a Functional `keras.Model`."""

from kerasep.models.bs_roformer_like import BSRoFormerLike
from kerasep.models.chimera_like import ChimeraLike
from kerasep.models.conditioned_unet_like import ConditionedUNetLike
from kerasep.models.conv_tasnet_like import ConvTasNetLike
from kerasep.models.deep_attractor_like import DeepAttractorLike
from kerasep.models.deep_clustering_like import DeepClusteringLike
from kerasep.models.demucs_like import DemucsLike
from kerasep.models.dprnn_like import DPRNNLike
from kerasep.models.dtln_like import DTLNLike
from kerasep.models.gtcrn_like import GTCRNLike
from kerasep.models.hs_tasnet_like import HSTasNetLike
from kerasep.models.htdemucs_like import HTDemucsLike
from kerasep.models.mask_inference_like import MaskInferenceLike
from kerasep.models.mdx_net_like import MDXNetLike
from kerasep.models.mel_band_roformer_like import MelBandRoFormerLike
from kerasep.models.open_unmix_like import OpenUnmixLike
from kerasep.models.scnet_like import SCNetLike
from kerasep.models.separation_model import SeparationModel
from kerasep.models.spleeter_like import SpleeterLike
from kerasep.models.tasnet_like import TasNetLike
from kerasep.models.ul_unas_like import ULUNASLike
from kerasep.models.unet_like import UNetLike
from kerasep.models.wave_unet_like import WaveUNetLike
from kerasep.models.wavenet_like import WavenetLike

__all__ = [
    "BSRoFormerLike",
    "ChimeraLike",
    "ConditionedUNetLike",
    "ConvTasNetLike",
    "DPRNNLike",
    "DTLNLike",
    "DeepAttractorLike",
    "DeepClusteringLike",
    "DemucsLike",
    "GTCRNLike",
    "HSTasNetLike",
    "HTDemucsLike",
    "MDXNetLike",
    "MaskInferenceLike",
    "MelBandRoFormerLike",
    "OpenUnmixLike",
    "SCNetLike",
    "SeparationModel",
    "SpleeterLike",
    "TasNetLike",
    "ULUNASLike",
    "UNetLike",
    "WaveUNetLike",
    "WavenetLike",
]
