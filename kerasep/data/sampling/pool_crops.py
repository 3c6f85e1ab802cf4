"""Examples out of a pool: recordings of speakers or instruments, joined end to end and mixed."""

import itertools

import numpy as np

from kerasep.data.sampling.crops import Crop, Part
from kerasep.data.sampling.open_files import Unreadable


class PoolCrops:
    """Mixtures of recordings that were made apart; a plan like those of `crops.py`."""

    def __init__(self, pool, sources, seconds, per_group, mixing, seed, training=True):
        self.pool, self.seconds, self.mixing, self.seed = pool, seconds, mixing, seed
        self.sources, self.training = tuple(sources), training
        self.speakers = pool.are_speakers(sources)
        self.names = list(pool.groups)
        self.length = max(1, round(pool.duration / seconds))
        if per_group is not None:
            self.length = per_group * len(self.names)

    def example(self, epoch, index, files):
        """Draw the crops of an example; without training those of every epoch are the same."""
        rng = np.random.default_rng([self.seed, epoch if self.training else 0, index])
        crops = [
            self._crop(np.random.default_rng(seed), name, number, files)
            for number, (name, seed) in enumerate(self._names(rng, files))
        ]
        sources, rest = crops[: len(self.sources)], crops[len(self.sources) :]
        parts = tuple(part for crop in rest for part in crop.parts)
        return self.mixing.loudness(rng, [*sources, Crop(parts, len(sources))])

    def _names(self, rng, files):
        """Draw what each source is, and what else plays along: pairs of a name and a seed."""
        count = self.mixing.number(rng, len(self.sources))
        usable = {
            name: any(files.usable([stem]) for stem in stems)
            for name, stems in self.pool.groups.items()
        }
        if self.speakers:
            # None twice: a speaker cannot be told from the same one.
            drawn = [self.names[place] for place in rng.permutation(len(self.names))]
            drawn = [name for name in drawn if usable[name]]
            if len(drawn) < len(self.sources):
                raise files.none_left("other speaker")
            names = [*drawn[:count], *[None] * (len(self.sources) - count)]
        else:
            silent = {self.sources[place] for place in rng.permutation(len(self.sources))[count:]}
            names = [*self.sources, *(name for name in self.names if name not in self.sources)]
            for name in names:
                if not usable[name]:
                    raise files.none_left(f"recording of {name}")
            names = [None if name in silent else name for name in names]
        return zip(names, rng.integers(1 << 62, size=len(names)), strict=True)

    def _crop(self, rng, name, number, files):
        """Join recordings up to the length of a crop, the first from anywhere in it on."""
        if name is None:
            return Crop((), number)
        fractions, shift = self.mixing.fractions(rng), self.mixing.shift(rng)
        shift = shift if number < len(self.sources) else 0  # what plays along is one crop
        group = self.pool.groups[name]
        order = (group[place] for place in rng.permutation(len(group)))
        stems = itertools.cycle(stem for stem in order if files.usable([stem]))
        stem = next(stems, None)
        if stem is None:
            raise Unreadable(f"another thread has just given up the last recording of {name}")
        speed = 2 ** (shift / 12)
        wanted, longest = self.seconds * speed, stem.info.seconds
        # A long one fills the crop by itself, a short one is cut anywhere.
        starts = fractions * (longest - wanted if longest > wanted else longest)
        start = self.mixing.loudest(files, [[stem]], starts, min(wanted, longest))
        parts, at = [], 0.0
        while at < self.seconds:
            parts.append(Part(stem, start, at, self.mixing.level))
            at, start = at + (stem.info.seconds - start) / speed, 0.0
            stem = next(stems)
        return Crop(tuple(parts), number, semitones=shift)
