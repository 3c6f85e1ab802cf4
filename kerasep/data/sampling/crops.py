"""Which parts of which recordings make an example: crops of tracks, for training and validation.

A plan has `length` (examples in an epoch) and `example(epoch, index, files)`, which gives a list of
crops: one for each source, then one of all that belongs to the mixture alone. An example depends on
the seed, its epoch and its index alone, and on which files have been given up: in place of one that
uses such a file comes the next of a fixed order, so that it does not matter who found out when.
"""

import functools
import math
from typing import NamedTuple

import numpy as np

from kerasep.data.datasets.stems import Stem


class Part(NamedTuple):
    """A stem from `start` seconds on, which begins `at` seconds into the crop.

    Where it has a `level`, in dB of full scale, it is brought to that.
    """

    stem: Stem
    start: float
    at: float = 0.0
    level: float | None = None


class Crop(NamedTuple):
    """The sum of parts, and how it is changed.

    Crops with the same number as `recording` were recorded together. The level of a crop that has
    `below` is so many dB under that of the example's first.
    """

    parts: tuple[Part, ...]
    recording: int
    gain: float = 1.0
    swap: bool = False
    semitones: int = 0
    below: float | None = None


class TrainingCrops:
    """Random crops of tracks, as recorded or remixed."""

    def __init__(self, tracks, sources, seconds, per_track, mixing, seed):
        self.tracks, self.seconds, self.mixing, self.seed = tracks, seconds, mixing, seed
        self.sources = len(sources)
        self.groups = [track.groups(sources) for track in tracks]
        counts = [per_track or max(1, round(track.duration / seconds)) for track in tracks]
        self.tracks_in_order = np.repeat(np.arange(len(tracks)), counts)
        self.length = len(self.tracks_in_order)

    @functools.lru_cache(4)  # noqa: B019  (as long-lived as the plan)
    def _order(self, epoch):
        return np.random.default_rng([self.seed, epoch]).permutation(self.tracks_in_order)

    def example(self, epoch, index, files):
        """Draw the crops of an example."""
        first = self._order(epoch)[index]
        key = [self.seed, epoch, index]
        rng = np.random.default_rng(key)
        everything = range(self.sources + 1)
        remixed = rng.random() < self.mixing.remix
        # The first source stays, so that an epoch hears that of every track.
        places = [self._place(rng, first, [0] if remixed else everything, files, key)]
        for group in everything[1:]:
            if remixed:
                track = rng.integers(len(self.tracks))
                places.append(self._place(rng, track, [group], files, key))
            else:
                places.append(places[0])
        crops = [
            Crop(
                tuple(Part(stem, start) for stem in self.groups[track][group]),
                recording=int(track),
                semitones=shift,
            )
            for group, (track, start, shift) in enumerate(places)
        ]
        return self.mixing.levels(rng, crops, self.sources)

    def _place(self, rng, track, groups, files, key):
        """Choose where in a track, or in one that takes its place, some groups are cropped."""
        fractions, shift = self.mixing.fractions(rng), self.mixing.shift(rng)
        if not files.usable(self._stems(track, groups)):
            others = np.random.default_rng([*key, groups[0]]).permutation(len(self.tracks))
            usable = (other for other in others if files.usable(self._stems(other, groups)))
            track = next(usable, None)
            if track is None:
                raise files.none_left("track")
        starts = fractions * max(0.0, self.tracks[track].duration - self.seconds)
        wanted = [self.groups[track][group] for group in groups if group < self.sources]
        wanted = [stems for stems in wanted if stems]  # a silent one is as loud as it gets
        return track, self.mixing.loudest(files, wanted, starts, self.seconds), shift

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
        """List the crops of an example, or of the next that can be read."""
        for crops in self.examples[index:] + self.examples[:index]:
            if files.usable([part.stem for crop in crops for part in crop.parts]):
                return crops
        raise files.none_left("track")
