"""Meters of streams: levels, silence, clipping, a fingerprint, and the sum of stems."""

import functools
import hashlib
import math

import numpy as np

SILENCE_DB = -60.0
_SILENCE = 10 ** (SILENCE_DB / 20)
_FULL_SCALE = 0.9999  # the last three steps of 16 bits
_FRAME_SECONDS = 0.1


class Meter:
    """Measures a recording in blocks `(n, channels)` of any sizes."""

    def __init__(self, sample_rate):
        self.samples = 0
        self.clipped = 0
        self._frame = max(1, round(_FRAME_SECONDS * sample_rate))
        self._peak = self._energy = 0.0
        self._values = self._silent = 0
        self._open_frame = np.zeros(0, "float32")
        self._before = np.zeros(2, bool)
        self._hash = hashlib.sha256()

    def add(self, block):
        """Measure the next block."""
        # Column by column: NumPy is slow along an axis this short.
        highest = functools.reduce(np.maximum, np.abs(block).T)
        self.samples += len(block)
        self._values += block.size
        self._peak = max(self._peak, float(highest.max()))
        self._energy += float(np.square(block, dtype="float64").sum())
        self._hash.update(np.ascontiguousarray(block))

        full = np.concatenate([self._before, highest >= _FULL_SCALE])
        self.clipped += int(np.count_nonzero(full[2:] & full[1:-1] & full[:-2]))
        self._before = full[-2:]

        highest = np.concatenate([self._open_frame, highest])
        whole = len(highest) // self._frame * self._frame
        frames = highest[:whole].reshape(-1, self._frame).max(axis=1)
        self._silent += int(np.count_nonzero(frames < _SILENCE)) * self._frame
        self._open_frame = highest[whole:]

    @property
    def peak_db(self):
        """The peak in dB of full scale."""
        return _decibels(self._peak)

    @property
    def rms_db(self):
        """The level (root mean square over time and channels) in dB of full scale."""
        return _decibels(math.sqrt(self._energy / max(1, self._values)))

    @property
    def silence(self):
        """The share of tenths of a second that stay below -60 dB of full scale."""
        rest = self._open_frame
        silent = self._silent + (len(rest) if len(rest) and rest.max() < _SILENCE else 0)
        return silent / max(1, self.samples)

    @property
    def fingerprint(self):
        """A hash of all samples, equal for equal audio in any lossless format."""
        return self._hash.hexdigest()


class SumMeter:
    """Compares a mixture with the sum of its stems, in blocks."""

    def __init__(self):
        self._mixture = self._sum = self._product = 0.0

    def add(self, mixture, stems):
        """Measure the next blocks; shorter ones are silent after their end."""
        samples = max(map(len, (mixture, *stems)))
        channels = max(block.shape[1] for block in (mixture, *stems))
        total, mixed = np.zeros((2, samples, channels))
        mixed[: len(mixture)] = mixture
        for block in stems:
            total[: len(block)] += block
        self._mixture += float(np.square(mixed).sum())
        self._sum += float(np.square(total).sum())
        self._product += float((mixed * total).sum())

    @property
    def snr_db(self):
        """The ratio of the mixture to its difference from the sum, in dB."""
        return self._snr(1.0)

    @property
    def scale(self):
        """The factor by which the sum comes nearest to the mixture."""
        return self._product / self._sum if self._sum else 0.0

    @property
    def scaled_snr_db(self):
        """The `snr_db` for the sum times `scale`."""
        return self._snr(self.scale)

    def _snr(self, scale):
        error = self._mixture - 2 * scale * self._product + scale * scale * self._sum
        if not self._mixture:
            return 0.0 if self._sum else math.inf
        # Smaller differences are rounding.
        return -10 * math.log10(max(error / self._mixture, 1e-12))


def _decibels(amplitude):
    return 20 * math.log10(amplitude) if amplitude > 0 else -math.inf
