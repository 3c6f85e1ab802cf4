"""Examples out of a pool: recordings of speakers or instruments, joined end to end and mixed."""

import itertools

import numpy as np

from kerasep.data.sampling.crops import Crop, Part, RandomCrops
from kerasep.data.sampling.open_files import Unreadable


class PoolCrops(RandomCrops):
    """Mixtures of recordings that were made apart; a plan like those of `crops.py`."""

    def __init__(self, pool, sources, seconds, sampling, training=True):
        super().__init__(sampling, len(sources), seconds)
        self.pool, self.source_names, self.training = pool, tuple(sources), training
        self.speakers = pool.are_speakers(sources)
        self.names = list(pool.groups)
        self.length = max(1, round(pool.duration / seconds))
        if sampling.crops_per_track is not None:
            self.length = sampling.crops_per_track * len(self.names)

    def example(self, epoch, index, files):
        """Draw the crops of an example; without training those of every epoch are the same."""
        rng = np.random.default_rng([self.sampling.seed, epoch if self.training else 0, index])
        crops = [
            self._crop(np.random.default_rng(seed), name, number, files)
            for number, (name, seed) in enumerate(self._names(rng, files))
        ]
        sources, rest = crops[: self.sources], crops[self.sources :]
        parts = tuple(part for crop in rest for part in crop.parts)
        return self._mixed(rng, [*sources, Crop(parts, len(sources))])

    def _names(self, rng, files):
        """Draw the groups of the sources and of the rest of the mixture: pairs of name and seed."""
        count = self._sounding(rng)
        usable = {
            name: any(files.usable([stem]) for stem in stems)
            for name, stems in self.pool.groups.items()
        }
        if self.speakers:
            # None twice: a speaker cannot be separated from themselves.
            drawn = [self.names[place] for place in rng.permutation(len(self.names))]
            drawn = [name for name in drawn if usable[name]]
            if len(drawn) < self.sources:
                raise files.none_left("other speaker")
            names = [*drawn[:count], *[None] * (self.sources - count)]
        else:
            silent = {self.source_names[place] for place in rng.permutation(self.sources)[count:]}
            others = (name for name in self.names if name not in self.source_names)
            names = [*self.source_names, *others]
            for name in names:
                if not usable[name]:
                    raise files.none_left(f"recording of {name}")
            names = [None if name in silent else name for name in names]
        return zip(names, rng.integers(1 << 62, size=len(names)), strict=True)

    def _crop(self, rng, name, number, files):
        """Join recordings up to the length of a crop, the first from anywhere in it on."""
        if name is None:
            return Crop((), number)
        fractions, shift = self._fractions(rng), self._shift(rng)
        shift = shift if number < self.sources else 0  # the rest of the mixture is one crop
        group = self.pool.groups[name]
        order = (group[place] for place in rng.permutation(len(group)))
        stems = itertools.cycle(stem for stem in order if files.usable([stem]))
        stem = next(stems, None)
        if stem is None:
            raise Unreadable(f"another thread has just skipped the last recording of {name}")
        speed = 2 ** (shift / 12)
        wanted, longest = self.seconds * speed, stem.info.seconds
        # A long one fills the crop by itself, a short one is cut anywhere.
        starts = fractions * (longest - wanted if longest > wanted else longest)
        start = self._loudest(files, [[stem]], starts, min(wanted, longest))
        parts, at = [], 0.0
        while at < self.seconds:
            parts.append(Part(stem, start, at, self.sampling.level))
            at, start = at + (stem.info.seconds - start) / speed, 0.0
            stem = next(stems)
        return Crop(tuple(parts), number, semitones=shift)
