"""Reads the batches that a plan describes; NumPy and threads only."""

import contextlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from kerasep.data.sampling.buffers import Buffers
from kerasep.data.sampling.mixing import bring_to, mix, relative_gains
from kerasep.data.sampling.open_files import OpenFiles, Unreadable
from kerasep.errors import InputError

_MANY = 4  # parts of a crop
_ROUNDING = 2  # samples that a part may last longer than its duration says


class Reader:
    """Reads batches with a pool of threads: decoding releases Python's lock.

    Args:
        plan: Says which crops make an example, such as `kerasep.data.sampling.crops.TrainingCrops`.
        samples: Samples in a crop.
        model: Anything with `sources`, `sample_rate` and `channels`.
        effects: `kerasep.data.sampling.effects.Effects`, which change crops and mixtures.
        threads: How many read. Defaults to one for each core.
    """

    def __init__(self, plan, samples, model, effects, threads=None):
        self.plan, self.samples, self.model, self.effects = plan, samples, model, effects
        threads = threads or os.cpu_count()
        self.pool = ThreadPoolExecutor(threads)
        self.files, self.buffers = OpenFiles(threads), Buffers()
        self.local, self.joining = threading.local(), threading.Lock()

    def batch(self, epoch, first, last):
        """Read examples `first` to `last`.

        Returns:
            Mixtures `(batch, samples, channels)`, sources `(batch, samples, channels, sources)`.
        """
        shape = (last - first, self.samples, self.model.channels)
        mixtures = self.buffers.take(shape)
        sources = self.buffers.take((*shape, len(self.model.sources)))
        epochs, examples = [epoch] * len(mixtures), range(first, last)
        for _ in self.pool.map(self._read, epochs, examples, mixtures, sources):
            pass
        return mixtures, sources

    def _read(self, epoch, index, mixture, sources):
        check = False
        while True:
            try:
                crops = self.plan.example(epoch, index, self.files)
                waveforms = self._waveforms(crops, check)
            except Unreadable:
                continue  # the plan takes another crop
            waveforms = self.effects.on_sources(waveforms, crops, (epoch, index))
            waveforms = [None if w is None else w[: self.samples] for w in waveforms]
            with np.errstate(invalid="ignore", over="ignore"):
                gains, swaps = relative_gains(waveforms, crops), [crop.swap for crop in crops]
                finite = mix(waveforms, gains, swaps, mixture, sources)
            # One look at the sum is enough, as long as all is well.
            if finite:
                break
            if check:
                raise InputError(
                    "augmentation made NaN or infinite samples out of finite ones: "
                    f"received {self.effects}, expected settings in their usual range"
                )
            check = True
        self.effects.on_mixture(mixture, (epoch, index))

    def _waveforms(self, crops, check):
        """Read each crop: an array that this thread uses again, or None where there is nothing."""
        length = self.effects.samples_needed(self.samples)
        shape = (len(crops) + 1, length, self.model.channels)
        if getattr(self.local, "waveforms", None) is None or self.local.waveforms.shape != shape:
            self.local.waveforms = np.empty(shape, "float32")
        *rows, spare = self.local.waveforms
        for row, crop in zip(rows, crops, strict=True):
            with self._turn(crop):
                self._join(crop, row, spare, check)
        return [row if crop.parts else None for row, crop in zip(rows, crops, strict=True)]

    def _turn(self, crop):
        """Have one thread at a time join many recordings that are in memory.

        That is hundreds of short steps, each of which gives up Python's lock: threads that do it
        side by side are slower than one.
        """
        many = len(crop.parts) > _MANY and all(self.files.holds(part.stem) for part in crop.parts)
        return self.joining if many else contextlib.nullcontext()

    def _join(self, crop, row, spare, check):
        """Read the parts of a crop, one after the other or at once, into an array."""
        rate = self._rate(crop)
        for number, part in enumerate(crop.parts):
            heard = max(0, round((part.stem.info.seconds - part.start) * rate))
            target = out = row[round(part.at * self.model.sample_rate) :]
            if number:
                target = target[: heard + _ROUNDING]
                out = spare[: len(target)]
            self.files.read(part.stem, rate, self.model.channels, part.start, out, check=check)
            if part.level is not None:
                bring_to(part.level, out[:heard])
            if number:
                target += out

    def _rate(self, crop):
        """Choose the rate that, taken for the model's, raises the pitch by so many semitones."""
        return round(self.model.sample_rate / 2 ** (crop.semitones / 12))
