"""Pure functions on tensors, in `keras.ops` alone."""

from kerasep.ops.consistency import mixture_consistency
from kerasep.ops.framing import frame, overlap_add
from kerasep.ops.masks import binary_mask, invert_mask
from kerasep.ops.mel import mel_filterbank
from kerasep.ops.ratios import sd_sdr, si_sdr, si_snr, snr
from kerasep.ops.running_sum import running_sum
from kerasep.ops.spectra import apply_mask, magnitude
from kerasep.ops.statistics import running_statistics
from kerasep.ops.stft import check_transform, istft, stft, window
from kerasep.ops.unit_norm import unit_norm
from kerasep.ops.wiener import mixture_phase, wiener

__all__ = [
    "apply_mask",
    "binary_mask",
    "check_transform",
    "frame",
    "invert_mask",
    "istft",
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
    "snr",
    "stft",
    "unit_norm",
    "wiener",
    "window",
]
