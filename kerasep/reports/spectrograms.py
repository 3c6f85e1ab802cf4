"""Spectrograms as transparent pictures of one colour, for light and dark pages."""

import io
import itertools

import numpy as np

from kerasep.errors import installed_by
from kerasep.reports.plots import data_address

COLOURS = {
    "vocals": "#e5487f",
    "drums": "#e08a1e",
    "bass": "#7c6cf0",
    "other": "#17a38b",
    "accompaniment": "#17a38b",
}
PLAIN = "#3f86e0"
_WIDTH, _HEIGHT = 560, 96
_LOWEST_HZ, _HIGHEST_HZ = 40.0, 16000.0
_RANGE_DB = 70.0
_SHADES = 20  # few, so that the files are small


def spectrogram(
    waveform: np.ndarray, sample_rate: int, colour: str = PLAIN, loudest: float | None = None
) -> str:
    """Draw the spectrogram of a waveform `(samples, channels)`, and return it as a `data:` address.

    The frequency axis is logarithmic. Opacity stands for the level, full at `loudest`, by default
    the waveform's own highest.
    """
    levels = _levels(waveform, sample_rate)
    loudest = levels.max() if loudest is None else loudest
    shades = np.clip(1 + (levels - loudest) / _RANGE_DB, 0, 1) ** 1.5
    picture = np.empty((*shades.shape, 4), "uint8")
    picture[..., :3] = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    picture[..., 3] = np.round(shades * _SHADES) * (255 // _SHADES)
    file = io.BytesIO()
    with installed_by("kerasep[report]"):
        from matplotlib import image

    image.imsave(file, picture[::-1], format="png")
    return data_address(file.getvalue(), "image/png")


def loudest_level(waveform: np.ndarray, sample_rate: int) -> float:
    """Return the highest level in dB of the spectrogram of a waveform `(samples, channels)`."""
    return float(_levels(waveform, sample_rate).max())


def _levels(waveform, sample_rate):
    """Return levels in dB, `(_HEIGHT, _WIDTH)`, the lowest frequency first."""
    size = 1 << max(8, round(np.log2(0.06 * sample_rate)))
    mono = np.pad(np.asarray(waveform, "float64").mean(axis=1), size // 2)
    starts = np.linspace(0, len(mono) - size, _WIDTH).astype(int)
    frames = mono[starts[:, None] + np.arange(size)] * np.hanning(size)
    power = np.square(np.abs(np.fft.rfft(frames))).T
    edges = np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, _HEIGHT + 1)
    rows = [
        _band(power, low * size / sample_rate, high * size / sample_rate)
        for low, high in itertools.pairwise(edges)
    ]
    return 10 * np.log10(np.stack(rows) / size**2 + 1e-12)


def _band(power, low, high):
    """Return the highest power between two positions, in bins; interpolated if it has no bin."""
    first, last = int(np.ceil(low)), int(np.floor(high))
    if first >= len(power):
        return np.zeros(power.shape[1])
    if first <= last:
        return power[first : last + 1].max(axis=0)
    share = (low + high) / 2 - (first - 1)
    return (1 - share) * power[first - 1] + share * power[first]
