"""How sources become a mixture: levels, channels, how many there are; then their sum."""

import math
from dataclasses import dataclass, replace

import numpy as np

from kerasep.errors import InputError

_BLOCK = 1 << 14
_SILENCE = 1e-6
_CANDIDATES = 8


@dataclass(frozen=True)
class Mixing:
    """Settings that say how training crops are drawn and mixed: see `kerasep.data.waveforms`."""

    remix: float = 0.5
    gain: tuple | None = (0.25, 1.25)
    swap: bool = True
    semitones: int = 0
    snr: tuple | None = None
    min_sources: int | None = None
    min_level: float | None = None
    level: float | None = None

    def __post_init__(self):
        known = _is_number(self.remix) and 0 <= self.remix <= 1
        if not known or (self.gain is not None and not _is_range(self.gain, 0)):
            raise InputError(
                f"received remix={self.remix}, gain={self.gain}: expected a probability, and a "
                "range of factors (low, high) or None"
            )
        if self.snr is not None and not _is_range(self.snr):
            raise InputError(
                f"received snr={self.snr}: expected a range of decibels (low, high) or None"
            )
        if not isinstance(self.semitones, int) or self.semitones < 0:
            raise InputError(
                f"received semitones={self.semitones}: expected whole numbers from 0 on"
            )
        for name in ("min_level", "level"):
            value = getattr(self, name)
            if value is not None and not _is_number(value):
                raise InputError(
                    f"received {name}={value}: expected decibels, such as -50, or None"
                )

    def check(self, sources):
        """Refuse to ask for more sources than there are."""
        if self.min_sources is not None and self.min_sources not in range(sources + 1):
            raise InputError(
                f"received min_sources={self.min_sources}: the model has {sources} sources, "
                f"expected 0 to {sources} or None"
            )

    def unchanged(self):
        """Give the settings that mix for validation: levels, but no augmentation."""
        return replace(self, gain=None, swap=False, semitones=0)

    def fractions(self, rng):
        """Draw where a crop may start: several places where the loudness decides."""
        return rng.random(1 if self.min_level is None else _CANDIDATES)

    def shift(self, rng):
        """Draw by how many semitones a crop is raised."""
        if not self.semitones:
            return 0
        return int(rng.integers(-self.semitones, self.semitones, endpoint=True))

    def loudest(self, files, groups, starts, seconds):
        """Choose the first start where each group of stems sounds, or where the softest is loudest.

        Args:
            files: `kerasep.data.sampling.open_files.OpenFiles`.
            groups: Lists of stems.
            starts: Where to listen, in seconds.
            seconds: For how long.

        Returns:
            One of the starts.
        """
        levels = []
        for start in starts if groups else ():
            if len(starts) == 1:
                break
            levels.append(min(files.level(stems, start, seconds) for stems in groups))
            if levels[-1] >= self.min_level:
                break
        return starts[np.argmax(levels) if levels else 0]

    def number(self, rng, sources):
        """Draw how many sources of an example sound."""
        least = sources if self.min_sources is None else self.min_sources
        return int(rng.integers(least, sources, endpoint=True))

    def levels(self, rng, crops, sources):
        """Draw which sources sound, and every crop's level and channels."""
        silent = rng.permutation(sources)[self.number(rng, sources) :]
        crops = [
            crop._replace(parts=()) if group in silent else crop for group, crop in enumerate(crops)
        ]
        return self.loudness(rng, crops)

    def loudness(self, rng, crops):
        """Draw every crop's level and channels."""
        gains = rng.uniform(*(self.gain or (1, 1)), len(crops))
        swaps = rng.random(len(crops)) < (0.5 if self.swap else 0)
        below = [None] * len(crops)
        if self.snr is not None:
            below, gains = rng.uniform(*self.snr, len(crops)), [gains[0]] * len(crops)
        return [
            crop._replace(gain=float(gain), swap=bool(swap), below=level)
            for crop, gain, swap, level in zip(crops, gains, swaps, below, strict=True)
        ]


def bring_to(level, waveform):
    """Scale a waveform in place to an RMS of `level` dB of full scale; silence stays."""
    rms = _rms(waveform)
    if rms > _SILENCE:
        waveform *= np.float32(10 ** (level / 20) / rms)


def relative_gains(waveforms, crops):
    """Gains that give every waveform its level below the first that sounds.

    Args:
        waveforms: Arrays `(samples, channels)`, or None for sources that are silent.
        crops: Their `Crop`s.

    Returns:
        A list of factors.
    """
    gains, reference = [], None
    for waveform, crop in zip(waveforms, crops, strict=True):
        gain = crop.gain
        if waveform is not None and crop.below is not None:
            level = _rms(waveform)
            if level > _SILENCE and reference is None:
                reference = level
            elif level > _SILENCE:
                gain *= reference / level * 10 ** (-crop.below / 20)
        gains.append(gain)
    return gains


def mix(waveforms, gains, swaps, mixture, sources):
    """Add waveforms up.

    Args:
        waveforms: Arrays `(samples, channels)`, or None for silence: of every source, and of what
            belongs to the mixture alone.
        gains: A factor for each.
        swaps: Whether the channels of each are swapped.
        mixture: Array `(samples, channels)`, gets the sum of all.
        sources: Array `(samples, channels, sources)`, gets each source.

    Returns:
        Whether all samples of the mixture are finite.
    """
    samples, channels, count = sources.shape
    parts = [
        (index, *part)
        for index, part in enumerate(zip(waveforms, gains, swaps, strict=True))
        if part[0] is not None
    ]
    for index in range(count):
        if waveforms[index] is None:
            sources[..., index] = 0
    if not parts:
        mixture[:] = 0
    scratch = np.empty((min(_BLOCK, samples), channels), "float32")
    finite = True
    # In blocks that stay in the processor's cache.
    for first in range(0, samples, _BLOCK):
        block = slice(first, min(first + _BLOCK, samples))
        total = mixture[block]
        for number, (index, waveform, gain, swap) in enumerate(parts):
            part = scratch[: len(total)] if number else total
            _scale(waveform[block], np.float32(gain), swap, part)
            if number:
                total += part
            if index < count:
                sources[block][..., index] = part
        finite = finite and bool(np.isfinite(total).all())
    return finite


def _rms(waveform):
    # An eighth of the time that squares and their mean take: words are joined by the dozen.
    return math.sqrt(np.vdot(waveform, waveform) / waveform.size) if waveform.size else 0.0


def _scale(waveform, gain, swap, out):
    if swap and out.shape[1] == 2:
        # Column by column: NumPy is slow on the reversed view of an axis this short.
        np.multiply(waveform[:, 1], gain, out=out[:, 0])
        np.multiply(waveform[:, 0], gain, out=out[:, 1])
    else:
        np.multiply(waveform, gain, out=out)


def _is_range(pair, least=-np.inf):
    is_pair = isinstance(pair, list | tuple) and len(pair) == 2
    return is_pair and _is_number(*pair) and least <= pair[0] <= pair[1]


def _is_number(*values):
    return all(isinstance(value, int | float) for value in values)
