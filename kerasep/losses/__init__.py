"""Keras losses; each returns one value an example, `(batch,)`."""

from kerasep.losses.deep_attractor import DeepAttractor
from kerasep.losses.deep_clustering import DeepClustering
from kerasep.losses.graph_laplacian import GraphLaplacian
from kerasep.losses.linear_discriminant import LinearDiscriminant
from kerasep.losses.log_l1 import LogL1
from kerasep.losses.mixture_invariant import MixtureInvariant
from kerasep.losses.multi_resolution_stft import MultiResolutionSTFT
from kerasep.losses.permutation_invariant import PermutationInvariant
from kerasep.losses.ratios import SDSDR, SISDR, SISNR, SNR
from kerasep.losses.sink_pit import SinkPIT
from kerasep.losses.spectrogram import MagnitudeSpectrum, PhaseSensitive, TruncatedPhaseSensitive
from kerasep.losses.thresholded_snr import ThresholdedSNR
from kerasep.losses.waveform import Waveform
from kerasep.losses.weighted import SourceWeighted, WeightedSum
from kerasep.losses.whitened_kmeans import WhitenedKMeans

__all__ = [
    "SDSDR",
    "SISDR",
    "SISNR",
    "SNR",
    "DeepAttractor",
    "DeepClustering",
    "GraphLaplacian",
    "LinearDiscriminant",
    "LogL1",
    "MagnitudeSpectrum",
    "MixtureInvariant",
    "MultiResolutionSTFT",
    "PermutationInvariant",
    "PhaseSensitive",
    "SinkPIT",
    "SourceWeighted",
    "ThresholdedSNR",
    "TruncatedPhaseSensitive",
    "Waveform",
    "WeightedSum",
    "WhitenedKMeans",
]
