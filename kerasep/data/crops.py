"""Which crops of which tracks make a batch, and reading them; NumPy only.

A plan has `length` (examples in an epoch) and `example(epoch, index)`, which says for every group
of stems (each source, then the stems that belong to the mixture alone) what is read and how.
"""

import math
import os
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from kerasep.data.tracks import add_stem


class Crop(NamedTuple):
    """One group of stems of an example: the stems, where they start, and how they are changed."""

    stems: tuple
    start: float
    gain: float = 1.0
    swap: bool = False


class TrainingPlan:
    """Random crops; an example depends on the seed, its epoch and its index alone."""

    def __init__(self, tracks, sources, seconds, crops_per_track, remix, gain, swap, seed):
        self.tracks, self.seconds = tracks, seconds
        self.groups = [track.groups(sources) for track in tracks]
        counts = [crops_per_track or max(1, round(t.duration / seconds)) for t in tracks]
        self.order = np.repeat(np.arange(len(tracks)), counts)
        self.length = len(self.order)
        self.remix, self.gain, self.swap, self.seed = remix, gain, swap, seed

    def example(self, epoch, index):
        """Draw the crops of an example."""
        track = np.random.default_rng([self.seed, epoch]).permutation(self.order)[index]
        rng = np.random.default_rng([self.seed, epoch, index])
        start = self._start(rng, track)
        remixed = rng.random() < self.remix
        for group in range(len(self.groups[track])):
            # The first source stays, so that an epoch hears that of every track.
            if remixed and group:
                track = rng.integers(len(self.tracks))
                start = self._start(rng, track)
            gain = rng.uniform(*self.gain) if self.gain else 1.0
            yield Crop(self.groups[track][group], start, gain, self.swap and rng.random() < 0.5)

    def _start(self, rng, track):
        return rng.uniform(0, max(0, self.tracks[track].duration - self.seconds))


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

    def __init__(self, plan, samples, sample_rate, channels, groups):
        self.plan, self.sample_rate = plan, sample_rate
        self.shape = (groups, samples, channels)
        self.pool = ThreadPoolExecutor(os.cpu_count())

    def batch(self, epoch, first, last):
        """Read examples `first` to `last` as float32 `(batch, groups, samples, channels)`."""
        parts = np.zeros((last - first, *self.shape), "float32")
        jobs = [
            (crop, part)
            for index, example in zip(range(first, last), parts, strict=True)
            # Where every stem is a wanted source there is no part for the leftovers.
            for crop, part in zip(self.plan.example(epoch, index), example, strict=False)
        ]
        for _ in self.pool.map(lambda job: self._read(*job), jobs):
            pass
        return parts

    def _read(self, crop, part):
        for stem in crop.stems:
            add_stem(part, stem, self.sample_rate, crop.start)
        if crop.swap:
            part[:] = part[:, ::-1].copy()
        if crop.gain != 1:
            part *= np.float32(crop.gain)
