"""Pure functions on tensors, in `keras.ops` alone."""

from kerasep.ops.assignment import best_permutation, sinkhorn
from kerasep.ops.clustering import centroids, kmeans, soft_kmeans
from kerasep.ops.consistency import mixture_consistency
from kerasep.ops.framing import frame, overlap_add
from kerasep.ops.masks import binary_mask, invert_mask
from kerasep.ops.mel import mel_filterbank
from kerasep.ops.ratios import sd_sdr, si_sdr, si_snr, snr, thresholded_snr
from kerasep.ops.running_sum import running_sum
from kerasep.ops.spectra import apply_mask, magnitude
from kerasep.ops.statistics import running_statistics
from kerasep.ops.stft import check_transform, istft, stft, window
from kerasep.ops.unit_norm import unit_norm
from kerasep.ops.wiener import mixture_phase, wiener

__all__ = [
    "apply_mask",
    "best_permutation",
    "binary_mask",
    "centroids",
    "check_transform",
    "frame",
    "invert_mask",
    "istft",
    "kmeans",
    "magnitude",
    "mel_filterbank",
    "mixture_consistency",
    "mixture_phase",
    "overlap_add",
    "running_statistics",
    "running_sum",
    "sd_sdr",
    "si_sdr",
    "si_snr",
    "sinkhorn",
    "snr",
    "soft_kmeans",
    "stft",
    "thresholded_snr",
    "unit_norm",
    "wiener",
    "window",
]
