"""Pure functions of tensors, written with `keras.ops` only."""

from kerasep.ops.assignment import best_permutation, sinkhorn
from kerasep.ops.centering import center_crop, center_pad, end_pad
from kerasep.ops.chunking import check_chunks, join_chunks, split_chunks
from kerasep.ops.clustering import as_points, centroids, kmeans, soft_kmeans
from kerasep.ops.consistency import mixture_consistency
from kerasep.ops.erb import erb_filterbank
from kerasep.ops.filterbanks import (
    analysis,
    check_filterbank,
    dual_filters,
    multiphase_gammatone,
    sinc_filters,
    synthesis,
)
from kerasep.ops.folding import check_folding, fold, unfold
from kerasep.ops.framing import count_frames, fit_length, frame, overlap_add, pad_to_frames
from kerasep.ops.levels import mono_level
from kerasep.ops.masks import binary_mask, invert_mask
from kerasep.ops.mel import inverse_mel_filterbank, mel_bands, mel_filterbank
from kerasep.ops.padding import crop_like, pad_to_multiple
from kerasep.ops.phase import (
    alternate_projections,
    check_iterations,
    griffin_lim,
    invert_together,
    misi,
    random_phase,
    with_phase,
)
from kerasep.ops.ratios import sd_sdr, si_sdr, si_snr, snr, thresholded_snr
from kerasep.ops.recurrence import gru, lstm
from kerasep.ops.resampling import resample, resampled_length, resampling_filters
from kerasep.ops.running_sum import running_sum
from kerasep.ops.spectra import apply_mask, magnitude
from kerasep.ops.statistics import running_statistics
from kerasep.ops.stft import check_transform, count_stft_frames, filled_length, istft, stft, window
from kerasep.ops.subpixel import subpixel_conv_transpose
from kerasep.ops.unit_norm import unit_norm
from kerasep.ops.wiener import mixture_phase, wiener

__all__ = [
    "alternate_projections",
    "analysis",
    "apply_mask",
    "as_points",
    "best_permutation",
    "binary_mask",
    "center_crop",
    "center_pad",
    "centroids",
    "check_chunks",
    "check_filterbank",
    "check_folding",
    "check_iterations",
    "check_transform",
    "count_frames",
    "count_stft_frames",
    "crop_like",
    "dual_filters",
    "end_pad",
    "erb_filterbank",
    "filled_length",
    "fit_length",
    "fold",
    "frame",
    "griffin_lim",
    "gru",
    "inverse_mel_filterbank",
    "invert_mask",
    "invert_together",
    "istft",
    "join_chunks",
    "kmeans",
    "lstm",
    "magnitude",
    "mel_bands",
    "mel_filterbank",
    "misi",
    "mixture_consistency",
    "mixture_phase",
    "mono_level",
    "multiphase_gammatone",
    "overlap_add",
    "pad_to_frames",
    "pad_to_multiple",
    "random_phase",
    "resample",
    "resampled_length",
    "resampling_filters",
    "running_statistics",
    "running_sum",
    "sd_sdr",
    "si_sdr",
    "si_snr",
    "sinc_filters",
    "sinkhorn",
    "snr",
    "soft_kmeans",
    "split_chunks",
    "stft",
    "subpixel_conv_transpose",
    "synthesis",
    "thresholded_snr",
    "unfold",
    "unit_norm",
    "wiener",
    "window",
    "with_phase",
]
