"""Keras layers, one public class a file."""

from kerasep.layers.inverse_stft import InverseSTFT
from kerasep.layers.kmeans import KMeans
from kerasep.layers.magnitude import Magnitude
from kerasep.layers.mel_scale import MelScale
from kerasep.layers.recurrent_stack import RecurrentStack
from kerasep.layers.shift_scale import ShiftScale
from kerasep.layers.soft_kmeans import SoftKMeans
from kerasep.layers.stft import STFT
from kerasep.layers.wiener_filter import WienerFilter

__all__ = [
    "STFT",
    "InverseSTFT",
    "KMeans",
    "Magnitude",
    "MelScale",
    "RecurrentStack",
    "ShiftScale",
    "SoftKMeans",
    "WienerFilter",
]
