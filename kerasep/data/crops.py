"""Which crops of which tracks make a batch, and reading them; NumPy only.

A plan has `length` (examples in an epoch) and `example(epoch, index)`, which says for every group
of stems (each source, then the stems that belong to the mixture alone) what is read and how.
"""

import math
import os
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from kerasep.data.decoders import as_float
from kerasep.data.stems import read_stem

_BLOCK = 1 << 13


class Crop(NamedTuple):
    """One group of stems of an example: the stems, where they start, and how they are changed."""

    stems: tuple
    start: float
    gain: float = 1.0
    swap: bool = False
    semitones: int = 0


class TrainingPlan:
    """Random crops; an example depends on the seed, its epoch and its index alone."""

    def __init__(
        self, tracks, sources, seconds, crops_per_track, remix, gain, swap, semitones, seed
    ):
        self.tracks, self.seconds = tracks, seconds
        self.groups = [track.groups(sources) for track in tracks]
        counts = [crops_per_track or max(1, round(t.duration / seconds)) for t in tracks]
        self.order = np.repeat(np.arange(len(tracks)), counts)
        self.length = len(self.order)
        self.remix, self.gain, self.swap, self.semitones = remix, gain, swap, semitones
        self.seed = seed

    def example(self, epoch, index):
        """Draw the crops of an example."""
        track = np.random.default_rng([self.seed, epoch]).permutation(self.order)[index]
        rng = np.random.default_rng([self.seed, epoch, index])
        start, shift = self._start(rng, track), self._shift(rng)
        remixed = rng.random() < self.remix
        for group in range(len(self.groups[track])):
            # The first source stays, so that an epoch hears that of every track.
            if remixed and group:
                track = rng.integers(len(self.tracks))
                start, shift = self._start(rng, track), self._shift(rng)
            gain = rng.uniform(*self.gain) if self.gain else 1.0
            swap = self.swap and rng.random() < 0.5
            yield Crop(self.groups[track][group], start, gain, swap, shift)

    def _start(self, rng, track):
        return rng.uniform(0, max(0, self.tracks[track].duration - self.seconds))

    def _shift(self, rng):
        return int(rng.integers(-self.semitones, self.semitones, endpoint=True))


class ValidationPlan:
    """Consecutive crops of every track, as recorded; every epoch is the same."""

    def __init__(self, tracks, sources, seconds):
        self.examples = [
            [Crop(stems, number * seconds) for stems in track.groups(sources)]
            for track in tracks
            for number in range(math.ceil(track.duration / seconds - 1e-9))
        ]
        self.length = len(self.examples)

    def example(self, _epoch, index):
        """List the crops of an example."""
        return self.examples[index]


class Reader:
    """Reads batches of a plan with a pool of threads: decoding releases Python's lock."""

    def __init__(self, plan, samples, model):
        self.plan, self.samples, self.model = plan, samples, model
        self.pool = ThreadPoolExecutor(os.cpu_count())

    def batch(self, epoch, first, last):
        """Read examples `first` to `last`.

        Returns:
            Mixtures `(batch, samples, channels)`, sources `(batch, samples, channels, sources)`.
        """
        shape = (last - first, self.samples, self.model.channels)
        mixtures = np.zeros(shape, "float32")
        sources = np.zeros((*shape, len(self.model.sources)), "float32")
        examples = [self.plan.example(epoch, index) for index in range(first, last)]
        for _ in self.pool.map(self._read, examples, mixtures, sources):
            pass
        return mixtures, sources

    def _read(self, example, mixture, sources):
        samples, channels, count = sources.shape
        parts = [
            (index, crop, read_stem(stem, self._rate(crop), channels, crop.start, samples))
            for index, crop in enumerate(example)
            for stem in crop.stems
        ]
        # In blocks that stay in the processor's cache: the sources lie interleaved in memory.
        for first in range(0, samples, _BLOCK):
            block = slice(first, first + _BLOCK)
            for index, crop, waveform in parts:
                part = _changed(waveform[block], crop)
                mixture[block][: len(part)] += part
                if index < count:
                    sources[block][: len(part), :, index] += part

    def _rate(self, crop):
        """Choose the rate that, taken for the model's, raises the pitch by so many semitones."""
        return round(self.model.sample_rate / 2 ** (crop.semitones / 12))


def _changed(waveform, crop):
    part = as_float(waveform, crop.gain)
    # Column by column: NumPy is slow on the reversed view of an axis this short.
    return np.stack([part[:, 1], part[:, 0]], axis=1) if crop.swap and part.shape[1] == 2 else part
