"""Keras losses, which compute one value per example, `(batch,)`."""

from kerasep.losses.band_limited import BandLimited
from kerasep.losses.combinations import Combinations
from kerasep.losses.compressed_spectrum import CompressedSpectrum
from kerasep.losses.deep_attractor import DeepAttractor
from kerasep.losses.deep_clustering import (
    DeepClustering,
    GraphLaplacian,
    LinearDiscriminant,
    WhitenedKMeans,
)
from kerasep.losses.dissimilarity import Dissimilarity
from kerasep.losses.log_l1 import LogL1
from kerasep.losses.mixture_invariant import MixtureInvariant
from kerasep.losses.multi_resolution_spectrum import MultiResolutionSpectrum
from kerasep.losses.multi_resolution_stft import MultiResolutionSTFT
from kerasep.losses.permutation_invariant import PermutationInvariant
from kerasep.losses.ratios import SDSDR, SISDR, SISNR, SNR, ThresholdedSNR
from kerasep.losses.sink_pit import SinkPIT
from kerasep.losses.spectrogram import MagnitudeSpectrum, PhaseSensitive, TruncatedPhaseSensitive
from kerasep.losses.spectrum_rmse import SpectrumRMSE
from kerasep.losses.waveform import Waveform
from kerasep.losses.waveform_approximation import WaveformApproximation
from kerasep.losses.weighted import SourceWeighted, WeightedSum

__all__ = [
    "SDSDR",
    "SISDR",
    "SISNR",
    "SNR",
    "BandLimited",
    "Combinations",
    "CompressedSpectrum",
    "DeepAttractor",
    "DeepClustering",
    "Dissimilarity",
    "GraphLaplacian",
    "LinearDiscriminant",
    "LogL1",
    "MagnitudeSpectrum",
    "MixtureInvariant",
    "MultiResolutionSTFT",
    "MultiResolutionSpectrum",
    "PermutationInvariant",
    "PhaseSensitive",
    "SinkPIT",
    "SourceWeighted",
    "SpectrumRMSE",
    "ThresholdedSNR",
    "TruncatedPhaseSensitive",
    "Waveform",
    "WaveformApproximation",
    "WeightedSum",
    "WhitenedKMeans",
]
