"""Keras layers, one public class a file."""

from kerasep.layers.apply_mask import ApplyMask
from kerasep.layers.binary_mask import BinaryMask
from kerasep.layers.cumulative_layer_normalization import CumulativeLayerNormalization
from kerasep.layers.embedding_head import EmbeddingHead
from kerasep.layers.global_layer_normalization import GlobalLayerNormalization
from kerasep.layers.inverse_stft import InverseSTFT
from kerasep.layers.invert_mask import InvertMask
from kerasep.layers.magnitude import Magnitude
from kerasep.layers.mask_head import MaskHead
from kerasep.layers.mel_scale import MelScale
from kerasep.layers.mixture_consistency import MixtureConsistency
from kerasep.layers.recurrent_stack import RecurrentStack
from kerasep.layers.shift_scale import ShiftScale
from kerasep.layers.stft import STFT
from kerasep.layers.whitening import Whitening
from kerasep.layers.wiener_filter import WienerFilter

__all__ = [
    "STFT",
    "ApplyMask",
    "BinaryMask",
    "CumulativeLayerNormalization",
    "EmbeddingHead",
    "GlobalLayerNormalization",
    "InverseSTFT",
    "InvertMask",
    "Magnitude",
    "MaskHead",
    "MelScale",
    "MixtureConsistency",
    "RecurrentStack",
    "ShiftScale",
    "Whitening",
    "WienerFilter",
]
