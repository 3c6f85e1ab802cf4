"""Triangular filters on the scale of equivalent rectangular bandwidths (ERB)."""

import numpy as np

from kerasep.errors import InputError


def erb_filterbank(n_fft: int, sample_rate: float, low: int, bands: int) -> np.ndarray:
    """Compute triangular filters that merge the bins from `low` on into ERB bands.

    The peaks are equally spaced in `21.4 log10(1 + 0.00437 f)`, from bin `low` to half the sample
    rate, and rounded to bins. Each filter falls to zero at its neighbours' peaks, so the filters of
    a bin sum to 1. The transpose therefore interpolates bands linearly to bins.

    Args:
        n_fft: FFT length in samples.
        sample_rate: in Hz.
        low: first bin that is merged.
        bands: number of bands, two or more.

    Returns:
        Float32 NumPy array `(n_fft / 2 + 1 - low, bands)`.

    Raises:
        InputError: if there are fewer bins than bands, or two peaks fall on the same bin.

    Example:
    >>> erb_filterbank(512, 16000, low=65, bands=64).shape
    (192, 64)

    Reference:
        Glasberg and Moore 1990, "Derivation of auditory filter shapes from notched-noise data".
    """
    last = n_fft // 2
    if low < 0 or bands < 2 or low + bands > last + 1:
        raise InputError(
            f"received low={low}, bands={bands} for n_fft={n_fft}, expected 2 bands or more, and "
            f"low + bands at most {last + 1}"
        )
    edges = _to_erb(np.array([low, last]) * sample_rate / n_fft)
    peaks = np.round(_to_hertz(np.linspace(edges[0], edges[1], bands)) * n_fft / sample_rate)
    if not (np.diff(peaks) > 0).all():
        raise InputError(
            f"received low={low}, bands={bands} for n_fft={n_fft}, which puts two bands on a bin: "
            f"take fewer bands, or a larger low"
        )
    bins = np.arange(low, last + 1)
    filters = [np.interp(bins, peaks, peak) for peak in np.eye(bands)]
    return np.stack(filters, axis=1).astype("float32")


def _to_erb(hertz):
    return 21.4 * np.log10(1 + 0.00437 * hertz)


def _to_hertz(erb):
    return (10 ** (erb / 21.4) - 1) / 0.00437
