"""Pure functions on tensors, in `keras.ops` alone."""

from kerasep.ops.assignment import best_permutation, sinkhorn
from kerasep.ops.clustering import as_points, centroids, kmeans, soft_kmeans
from kerasep.ops.framing import frame, overlap_add
from kerasep.ops.mel import mel_filterbank
from kerasep.ops.ratios import sd_sdr, si_sdr, si_snr, snr, thresholded_snr
from kerasep.ops.spectra import apply_mask, magnitude
from kerasep.ops.stft import check_transform, istft, stft, window
from kerasep.ops.wiener import mixture_phase, wiener

__all__ = [
    "apply_mask",
    "as_points",
    "best_permutation",
    "centroids",
    "check_transform",
    "frame",
    "istft",
    "kmeans",
    "magnitude",
    "mel_filterbank",
    "mixture_phase",
    "overlap_add",
    "sd_sdr",
    "si_sdr",
    "si_snr",
    "sinkhorn",
    "snr",
    "soft_kmeans",
    "stft",
    "thresholded_snr",
    "wiener",
    "window",
]
