"""Plans of examples: crops of tracks, for training and validation.

A plan has `length` (examples in an epoch) and `example(epoch, index, files)`, which returns a list
of crops: one per source, then one of all that belongs to the mixture alone. An example depends on
the seed, its epoch and its index alone, and on which files are skipped: in their place comes the
next of a fixed order, so that it does not matter when they were found to be unreadable.
"""

import functools
import math
from typing import NamedTuple

import numpy as np

from kerasep.data.datasets.stems import Stem

_CANDIDATES = 8


class Part(NamedTuple):
    """A stem from `start` seconds on, placed `at` seconds into the crop, at a `level` in dBFS."""

    stem: Stem
    start: float
    at: float = 0.0
    level: float | None = None


class Crop(NamedTuple):
    """The sum of parts, and how it is changed.

    Crops with the same `recording` were recorded together. `below` is the level in dB under that of
    the example's first crop.
    """

    parts: tuple[Part, ...]
    recording: int
    gain: float = 1.0
    swap: bool = False
    semitones: int = 0
    below: float | None = None


class RandomCrops:
    """The random choices that all plans for training share."""

    def __init__(self, sampling, sources, seconds):
        self.sampling, self.sources, self.seconds = sampling, sources, seconds

    def _fractions(self, rng):
        """Draw where a crop may start: several places if `min_level` decides."""
        return rng.random(1 if self.sampling.min_level is None else _CANDIDATES)

    def _shift(self, rng):
        """Draw by how many semitones a crop is raised."""
        most = self.sampling.semitones
        return int(rng.integers(-most, most, endpoint=True)) if most else 0

    def _loudest(self, files, groups, starts, seconds):
        """Choose the first start at which every group sounds, or whose softest is loudest."""
        levels = []
        for start in starts if groups and len(starts) > 1 else ():
            levels.append(min(files.level(stems, start, seconds) for stems in groups))
            if levels[-1] >= self.sampling.min_level:
                break
        return starts[np.argmax(levels) if levels else 0]

    def _sounding(self, rng):
        """Draw how many sources of an example sound."""
        least = self.sources if self.sampling.min_sources is None else self.sampling.min_sources
        return int(rng.integers(least, self.sources, endpoint=True))

    def _mixed(self, rng, crops):
        """Draw the gain, the channels and the relative level of every crop."""
        gains = rng.uniform(*(self.sampling.gain or (1, 1)), len(crops))
        swaps = rng.random(len(crops)) < (0.5 if self.sampling.swap else 0)
        below = [None] * len(crops)
        if self.sampling.snr is not None:
            below = rng.uniform(*self.sampling.snr, len(crops))
            gains = [gains[0]] * len(crops)
        return [
            crop._replace(gain=float(gain), swap=bool(swap), below=level)
            for crop, gain, swap, level in zip(crops, gains, swaps, below, strict=True)
        ]


class TrainingCrops(RandomCrops):
    """Random crops of tracks, as recorded or remixed; `counts` says how many of each track."""

    def __init__(self, tracks, sources, seconds, sampling, counts=None):
        super().__init__(sampling, len(sources), seconds)
        self.tracks = tracks
        self.groups = [track.groups(sources) for track in tracks]
        if counts is None:
            per_track = sampling.crops_per_track
            counts = [per_track or max(1, round(track.duration / seconds)) for track in tracks]
        self.tracks_in_order = np.repeat(np.arange(len(tracks)), counts)
        self.length = len(self.tracks_in_order)

    @functools.lru_cache(4)  # noqa: B019  (as long-lived as the plan)
    def _order(self, epoch):
        rng = np.random.default_rng([self.sampling.seed, epoch])
        return rng.permutation(self.tracks_in_order)

    def example(self, epoch, index, files):
        """Draw the crops of an example."""
        first = self._order(epoch)[index]
        key = [self.sampling.seed, epoch, index]
        rng = np.random.default_rng(key)
        everything = range(self.sources + 1)
        is_remixed = rng.random() < self.sampling.remix
        # The first source stays, so that an epoch has that of every track.
        places = [self._place(rng, first, [0] if is_remixed else everything, files, key)]
        for group in everything[1:]:
            if is_remixed:
                track = rng.integers(len(self.tracks))
                places.append(self._place(rng, track, [group], files, key))
            else:
                places.append(places[0])
        silent = rng.permutation(self.sources)[self._sounding(rng) :]
        crops = [
            Crop(
                tuple(Part(stem, start) for stem in self.groups[track][group])
                if group not in silent
                else (),
                recording=int(track),
                semitones=shift,
            )
            for group, (track, start, shift) in enumerate(places)
        ]
        return self._mixed(rng, crops)

    def _place(self, rng, track, groups, files, key):
        """Choose where in a track, or in one that takes its place, some groups are cropped."""
        fractions, shift = self._fractions(rng), self._shift(rng)
        if not files.usable(self._stems(track, groups)):
            others = np.random.default_rng([*key, groups[0]]).permutation(len(self.tracks))
            usable = (other for other in others if files.usable(self._stems(other, groups)))
            track = next(usable, None)
            if track is None:
                raise files.none_left("track")
        starts = fractions * max(0.0, self.tracks[track].duration - self.seconds)
        wanted = [self.groups[track][group] for group in groups if group < self.sources]
        wanted = [stems for stems in wanted if stems]  # a silent one is as loud as it gets
        return track, self._loudest(files, wanted, starts, self.seconds), shift

    def _stems(self, track, groups):
        return [stem for group in groups for stem in self.groups[track][group]]


class ValidationCrops:
    """Consecutive crops of every track, as recorded; every epoch is the same."""

    def __init__(self, tracks, sources, seconds):
        self.examples = [
            [
                Crop(tuple(Part(stem, number * seconds) for stem in stems), number)
                for stems in track.groups(sources)
            ]
            for track in tracks
            for number in range(math.ceil(track.duration / seconds - 1e-9))
        ]
        self.length = len(self.examples)

    def example(self, _epoch, index, files):
        """Return the crops of an example, or of the next that can be read."""
        for crops in self.examples[index:] + self.examples[:index]:
            if files.usable([part.stem for crop in crops for part in crop.parts]):
                return crops
        raise files.none_left("track")
