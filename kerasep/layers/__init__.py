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

from kerasep.layers.affine_prelu import AffinePReLU
from kerasep.layers.apply_complex_mask import ApplyComplexMask
from kerasep.layers.apply_mask import ApplyMask
from kerasep.layers.attractor_mask import AttractorMask
from kerasep.layers.axial_lstm import AxialLSTM
from kerasep.layers.axial_transformer import AxialTransformer
from kerasep.layers.band_masks import BandMasks
from kerasep.layers.band_split import BandSplit
from kerasep.layers.bin_embedding import BinEmbedding
from kerasep.layers.binary_mask import BinaryMask
from kerasep.layers.causal_conv_2d import CausalConv2D
from kerasep.layers.center_crop import CenterCrop
from kerasep.layers.center_pad import CenterPad
from kerasep.layers.channel_shuffle import ChannelShuffle
from kerasep.layers.convolution_module import ConvolutionModule
from kerasep.layers.crop import Crop
from kerasep.layers.cumulative_layer_normalization import CumulativeLayerNormalization
from kerasep.layers.decibels import Decibels
from kerasep.layers.decoder_block_2d import DecoderBlock2D
from kerasep.layers.dilated_residual import DilatedResidual
from kerasep.layers.dual_path_net import DualPathNet
from kerasep.layers.embedding_head import EmbeddingHead
from kerasep.layers.encoder_block_2d import EncoderBlock2D
from kerasep.layers.end_pad import EndPad
from kerasep.layers.erb_scale import ERBScale
from kerasep.layers.feature_fft import FeatureFFT
from kerasep.layers.film import FiLM
from kerasep.layers.frequency_attention import FrequencyAttention
from kerasep.layers.gammatone_analysis import GammatoneAnalysis
from kerasep.layers.gated_analysis import GatedAnalysis
from kerasep.layers.global_layer_normalization import GlobalLayerNormalization
from kerasep.layers.griffin_lim import GriffinLim
from kerasep.layers.grouped_gru import GroupedGRU
from kerasep.layers.interpolate import Interpolate
from kerasep.layers.inverse_erb_scale import InverseERBScale
from kerasep.layers.inverse_feature_fft import InverseFeatureFFT
from kerasep.layers.inverse_fft import InverseFFT
from kerasep.layers.inverse_mel_scale import InverseMelScale
from kerasep.layers.inverse_stft import InverseSTFT
from kerasep.layers.invert_mask import InvertMask
from kerasep.layers.join_chunks import JoinChunks
from kerasep.layers.kmeans import KMeans
from kerasep.layers.layer_scale import LayerScale
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
from kerasep.layers.rotary_positions import RotaryPositions
from kerasep.layers.shift_scale import ShiftScale
from kerasep.layers.sinc_analysis import SincAnalysis
from kerasep.layers.sinusoidal_positions import SinusoidalPositions
from kerasep.layers.soft_kmeans import SoftKMeans
from kerasep.layers.split_chunks import SplitChunks
from kerasep.layers.step_pad import StepPad
from kerasep.layers.stft import STFT
from kerasep.layers.subband_features import SubbandFeatures
from kerasep.layers.temporal_attention import TemporalAttention
from kerasep.layers.temporal_conv_net import TemporalConvNet
from kerasep.layers.transformer_block import TransformerBlock
from kerasep.layers.transposed_convolutions import Conv1DTranspose, Conv2DTranspose
from kerasep.layers.unfold_sources import UnfoldSources
from kerasep.layers.whitening import Whitening
from kerasep.layers.wiener_filter import WienerFilter

__all__ = [
    "MISI",
    "STFT",
    "AffinePReLU",
    "ApplyComplexMask",
    "ApplyMask",
    "AttractorMask",
    "AxialLSTM",
    "AxialTransformer",
    "BandMasks",
    "BandSplit",
    "BinEmbedding",
    "BinaryMask",
    "CausalConv2D",
    "CenterCrop",
    "CenterPad",
    "ChannelShuffle",
    "Conv1DTranspose",
    "Conv2DTranspose",
    "ConvolutionModule",
    "Crop",
    "CumulativeLayerNormalization",
    "Decibels",
    "DecoderBlock2D",
    "DilatedResidual",
    "DualPathNet",
    "ERBScale",
    "EmbeddingHead",
    "EncoderBlock2D",
    "EndPad",
    "FeatureFFT",
    "FiLM",
    "FrequencyAttention",
    "GammatoneAnalysis",
    "GatedAnalysis",
    "GlobalLayerNormalization",
    "GriffinLim",
    "GroupedGRU",
    "Interpolate",
    "InverseERBScale",
    "InverseFFT",
    "InverseFeatureFFT",
    "InverseMelScale",
    "InverseSTFT",
    "InvertMask",
    "JoinChunks",
    "KMeans",
    "LayerScale",
    "LearnedAnalysis",
    "LearnedSynthesis",
    "Magnitude",
    "MaskHead",
    "MelScale",
    "MixtureConsistency",
    "MonoLevel",
    "RecurrentStack",
    "Resample",
    "RotaryPositions",
    "ShiftScale",
    "SincAnalysis",
    "SinusoidalPositions",
    "SoftKMeans",
    "SplitChunks",
    "StepPad",
    "SubbandFeatures",
    "TemporalAttention",
    "TemporalConvNet",
    "TransformerBlock",
    "UnfoldSources",
    "Whitening",
    "WienerFilter",
]
