"""Keras layers, one public class a file."""

from kerasep.layers.apply_mask import ApplyMask
from kerasep.layers.binary_mask import BinaryMask
from kerasep.layers.cumulative_layer_normalization import CumulativeLayerNormalization
from kerasep.layers.decoder_block_2d import DecoderBlock2D
from kerasep.layers.embedding_head import EmbeddingHead
from kerasep.layers.encoder_block_2d import EncoderBlock2D
from kerasep.layers.gammatone_analysis import GammatoneAnalysis
from kerasep.layers.global_layer_normalization import GlobalLayerNormalization
from kerasep.layers.griffin_lim import GriffinLim
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
from kerasep.layers.recurrent_stack import RecurrentStack
from kerasep.layers.shift_scale import ShiftScale
from kerasep.layers.sinc_analysis import SincAnalysis
from kerasep.layers.soft_kmeans import SoftKMeans
from kerasep.layers.split_chunks import SplitChunks
from kerasep.layers.stft import STFT
from kerasep.layers.temporal_conv_net import TemporalConvNet
from kerasep.layers.whitening import Whitening
from kerasep.layers.wiener_filter import WienerFilter

__all__ = [
    "MISI",
    "STFT",
    "ApplyMask",
    "BinaryMask",
    "CumulativeLayerNormalization",
    "DecoderBlock2D",
    "EmbeddingHead",
    "EncoderBlock2D",
    "GammatoneAnalysis",
    "GlobalLayerNormalization",
    "GriffinLim",
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
    "RecurrentStack",
    "ShiftScale",
    "SincAnalysis",
    "SoftKMeans",
    "SplitChunks",
    "TemporalConvNet",
    "Whitening",
    "WienerFilter",
]
