"""Keras layers, one public class per file.

Layers that Keras already has are not repeated here. These layers normalise `(batch, frames, bins,
channels)`; "shared by" lists what shares a mean and a variance:

| normalisation | shared by | layer |
|---|---|---|
| batch | all but the channel | `keras.layers.BatchNormalization()` |
| batch, each bin | all but the bin | `keras.layers.BatchNormalization(axis=2)` |
| instance | frames and bins | `keras.layers.GroupNormalization(groups=-1)` |
| group | frames, bins and channels of a group | `keras.layers.GroupNormalization(groups)` |
| layer | channels | `keras.layers.LayerNormalization()` |
| layer, each frame | bins and channels | `keras.layers.LayerNormalization(axis=(2, 3))` |
| global (gLN) | frames, bins and channels | `GlobalLayerNormalization()` |
| cumulative (cLN) | frames so far, bins and channels | `CumulativeLayerNormalization()` |
| whitening | a whole dataset, each bin | `Whitening()`, then `adapt(dataset)` |
| learned | nothing: trained | `ShiftScale()` |

Set `epsilon` of Keras' layers to 1e-5 or less: the variance of quiet audio lies below their default
of 1e-3. Batch, instance, group and global normalisation see the future.
"""

from kerasep.layers.apply_mask import ApplyMask
from kerasep.layers.attractor_mask import AttractorMask
from kerasep.layers.binary_mask import BinaryMask
from kerasep.layers.center_crop import CenterCrop
from kerasep.layers.center_pad import CenterPad
from kerasep.layers.cumulative_layer_normalization import CumulativeLayerNormalization
from kerasep.layers.decibels import Decibels
from kerasep.layers.decoder_block_2d import DecoderBlock2D
from kerasep.layers.dual_path_net import DualPathNet
from kerasep.layers.embedding_head import EmbeddingHead
from kerasep.layers.encoder_block_2d import EncoderBlock2D
from kerasep.layers.film import FiLM
from kerasep.layers.gammatone_analysis import GammatoneAnalysis
from kerasep.layers.gated_analysis import GatedAnalysis
from kerasep.layers.global_layer_normalization import GlobalLayerNormalization
from kerasep.layers.griffin_lim import GriffinLim
from kerasep.layers.interpolate import Interpolate
from kerasep.layers.inverse_mel_scale import InverseMelScale
from kerasep.layers.inverse_stft import InverseSTFT
from kerasep.layers.invert_mask import InvertMask
from kerasep.layers.join_chunks import JoinChunks
from kerasep.layers.kmeans import KMeans
from kerasep.layers.learned_analysis import LearnedAnalysis
from kerasep.layers.learned_synthesis import LearnedSynthesis
from kerasep.layers.magnitude import Magnitude
from kerasep.layers.mask_head import MaskHead
from kerasep.layers.mel_scale import MelScale
from kerasep.layers.misi import MISI
from kerasep.layers.mixture_consistency import MixtureConsistency
from kerasep.layers.mono_level import MonoLevel
from kerasep.layers.recurrent_stack import RecurrentStack
from kerasep.layers.resample import Resample
from kerasep.layers.shift_scale import ShiftScale
from kerasep.layers.sinc_analysis import SincAnalysis
from kerasep.layers.soft_kmeans import SoftKMeans
from kerasep.layers.split_chunks import SplitChunks
from kerasep.layers.stft import STFT
from kerasep.layers.temporal_conv_net import TemporalConvNet
from kerasep.layers.transposed_convolutions import Conv1DTranspose, Conv2DTranspose
from kerasep.layers.unfold_sources import UnfoldSources
from kerasep.layers.whitening import Whitening
from kerasep.layers.wiener_filter import WienerFilter

__all__ = [
    "MISI",
    "STFT",
    "ApplyMask",
    "AttractorMask",
    "BinaryMask",
    "CenterCrop",
    "CenterPad",
    "Conv1DTranspose",
    "Conv2DTranspose",
    "CumulativeLayerNormalization",
    "Decibels",
    "DecoderBlock2D",
    "DualPathNet",
    "EmbeddingHead",
    "EncoderBlock2D",
    "FiLM",
    "GammatoneAnalysis",
    "GatedAnalysis",
    "GlobalLayerNormalization",
    "GriffinLim",
    "Interpolate",
    "InverseMelScale",
    "InverseSTFT",
    "InvertMask",
    "JoinChunks",
    "KMeans",
    "LearnedAnalysis",
    "LearnedSynthesis",
    "Magnitude",
    "MaskHead",
    "MelScale",
    "MixtureConsistency",
    "MonoLevel",
    "RecurrentStack",
    "Resample",
    "ShiftScale",
    "SincAnalysis",
    "SoftKMeans",
    "SplitChunks",
    "TemporalConvNet",
    "UnfoldSources",
    "Whitening",
    "WienerFilter",
]
