"""The mel scale, its bands and its inverse."""

import numpy as np

from kerasep.errors import InputError


def mel_filterbank(
    n_fft: int,
    sample_rate: float,
    mels: int = 128,
    low: float = 0.0,
    high: float | None = None,
    scale: str = "slaney",
) -> np.ndarray:
    """Compute triangular mel filters.

    The product of a magnitude `(batch, frames, bins, channels)` with them, over its bins, gives mel
    bands.

    Args:
        n_fft: FFT length in samples.
        sample_rate: in Hz.
        mels: number of bands.
        low: lower edge of the first band, in Hz.
        high: upper edge of the last band, in Hz. Default: half the sample rate.
        scale: "slaney" (linear below 1 kHz, filters of unit area, the default of librosa) or "htk"
            (`2595 log10(1 + f / 700)`, filters of unit height). Defaults to "slaney".

    Returns:
        Float32 NumPy array `(n_fft / 2 + 1, mels)`.

    Raises:
        InputError: if the edges are out of order, the scale is unknown, or a band contains no bin.

    Example:
    >>> mel_filterbank(1024, 16000, mels=64).shape
    (513, 64)
    """
    high = sample_rate / 2 if high is None else high
    if not 0 <= low < high <= sample_rate / 2:
        raise InputError(
            f"received band edges {low} to {high} Hz, expected 0 <= low < high <= {sample_rate / 2}"
        )
    if scale not in ("slaney", "htk"):
        raise InputError(f"received scale {scale!r}, expected slaney or htk")
    to_mel, to_hertz = _SCALES[scale]
    edges = to_hertz(np.linspace(to_mel(low), to_mel(high), mels + 2))
    bins = np.linspace(0, sample_rate / 2, n_fft // 2 + 1)
    rising = (bins[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins[:, None]) / (edges[2:] - edges[1:-1])
    filters = np.maximum(0, np.minimum(rising, falling))
    if not filters.any(axis=0).all():
        raise InputError(
            f"received mels={mels} for n_fft={n_fft}, which leaves bands without a bin: "
            f"take fewer bands or a longer n_fft"
        )
    if scale == "slaney":
        filters *= 2 / (edges[2:] - edges[:-2])
    return filters.astype("float32")


def mel_bands(n_fft: int, sample_rate: float, bands: int = 60) -> list[tuple[int, int]]:
    """Compute the bins of overlapping bands of equal width in mel.

    A band contains the bins where a filter of `mel_filterbank` is positive. The first band also
    contains bin 0, and the last one the highest bin. Most bins are in two bands.

    Args:
        n_fft: FFT length in samples.
        sample_rate: in Hz.
        bands: number of bands. Defaults to 60.

    Returns:
        List of pairs: the first bin of a band, and the bin after its last.

    Raises:
        InputError: if a band contains no bin.

    Example:
    >>> mel_bands(64, 8000, 6)
    [(0, 6), (3, 9), (6, 12), (9, 17), (12, 23), (17, 33)]

    Reference:
        Wang, Lu and Won 2023, "Mel-band RoFormer for music source separation".
    """
    filters = mel_filterbank(n_fft, sample_rate, bands) > 0
    filters[0, 0] = filters[-1, -1] = True
    starts = filters.argmax(axis=0)
    stops = len(filters) - filters[::-1].argmax(axis=0)
    return [(int(start), int(stop)) for start, stop in zip(starts, stops, strict=True)]


def inverse_mel_filterbank(
    n_fft: int,
    sample_rate: float,
    mels: int = 128,
    low: float = 0.0,
    high: float | None = None,
    scale: str = "slaney",
) -> np.ndarray:
    """Compute the pseudo-inverse of `mel_filterbank`.

    The product of mel bands with it is the magnitude of least energy that has these bands. Sums of
    the mel filters are recovered exactly. Some values of the inverse are negative, so the product
    may be negative too. `kerasep.layers.InverseMelScale` sets such values to zero.

    Args:
        n_fft: as passed to `mel_filterbank`.
        sample_rate: as passed to `mel_filterbank`.
        mels: as passed to `mel_filterbank`.
        low: as passed to `mel_filterbank`.
        high: as passed to `mel_filterbank`.
        scale: as passed to `mel_filterbank`.

    Returns:
        Float32 NumPy array `(mels, n_fft / 2 + 1)`.

    Raises:
        InputError: under the conditions of `mel_filterbank`.

    Example:
    >>> inverse_mel_filterbank(1024, 16000, mels=64).shape
    (64, 513)
    """
    filters = mel_filterbank(n_fft, sample_rate, mels, low, high, scale)
    return np.linalg.pinv(filters.astype("float64")).astype("float32")


_LOG_STEP = np.log(6.4) / 27


def _slaney_mel(hertz):
    hertz = np.asarray(hertz, "float64")
    return np.where(
        hertz < 1000, hertz * 3 / 200, 15 + np.log(np.maximum(hertz, 1) / 1000) / _LOG_STEP
    )


def _slaney_hertz(mel):
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp(_LOG_STEP * (mel - 15)))


def _htk_mel(hertz):
    return 2595 * np.log10(1 + np.asarray(hertz, "float64") / 700)


def _htk_hertz(mel):
    return 700 * (10 ** (np.asarray(mel) / 2595) - 1)


_SCALES = {"slaney": (_slaney_mel, _slaney_hertz), "htk": (_htk_mel, _htk_hertz)}
