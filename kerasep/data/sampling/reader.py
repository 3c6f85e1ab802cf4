"""Reads the batches that a plan describes; NumPy and threads only."""

import contextlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from kerasep.data.sampling.buffers import Buffers
from kerasep.data.sampling.mixing import bring_to, mix, relative_gains
from kerasep.data.sampling.open_files import OpenFiles, Unreadable
from kerasep.errors import InputError

_MANY = 4  # parts of a crop
_ROUNDING = 2  # samples that a part may last longer than its duration says


class CropSource(NamedTuple):
    """What a `Reader` reads, from recordings or from shards.

    Attributes:
        plan: Which crops make an example, such as `kerasep.data.sampling.crops.TrainingCrops`.
        open_stem: Opens a stem of the plan, as a decoder of `kerasep.data.audio.decoders`.
        shape: Of a crop: `(samples, channels)`, or of spectra `(frames, bins, channels)`.
        rate: Samples a second of the plan; 1 for spectra, whose plans count frames.
        data: What is read: a list of tracks, a pool, or a prepared folder.
    """

    plan: Any
    open_stem: Callable
    shape: tuple[int, ...]
    rate: int
    data: Any

    @property
    def is_spectra(self):
        """Return whether complex64 spectra are read, and not waveforms."""
        return len(self.shape) == 3


class Reader:
    """Reads batches with a pool of threads: decoding releases Python's lock."""

    def __init__(self, source, sources, effects, threads=None):
        self.source, self.sources, self.effects = source, sources, effects
        threads = threads or os.cpu_count()
        self.pool = ThreadPoolExecutor(threads)
        self.files, self.buffers = OpenFiles(threads, source.open_stem), Buffers()
        self.local, self.joining = threading.local(), threading.Lock()

    def steps(self, batch_size, training):
        """Return how many batches an epoch has; raise an error if there is none."""
        crops = self.source.plan.length
        steps = crops // batch_size if training else -(-crops // batch_size)
        if not steps:
            raise InputError(
                f"received batch_size={batch_size}, training={training}, but an epoch has {crops} "
                "crops: lower batch_size or raise crops_per_track"
            )
        return steps

    def shapes(self, size):
        """Return the shapes of the arrays in a batch of so many examples."""
        shape = self.source.shape
        if self.source.is_spectra:
            return [(size, *shape, 1 + self.sources, 2)]
        return [(size, *shape), (size, *shape, self.sources)]

    def batch(self, epoch, first, last):
        """Read examples `first` to `last`."""
        arrays = [self.buffers.take(shape) for shape in self.shapes(last - first)]
        if self.source.is_spectra:
            spectra = arrays[0].view("complex64")[..., 0]
            mixtures, sources = spectra[..., 0], spectra[..., 1:]
        else:
            mixtures, sources = arrays
        epochs, examples = [epoch] * len(mixtures), range(first, last)
        for _ in self.pool.map(self._read, epochs, examples, mixtures, sources):
            pass
        return arrays

    def _read(self, epoch, index, mixture, sources):
        check = False
        while True:
            try:
                crops = self.source.plan.example(epoch, index, self.files)
                waveforms = self._waveforms(crops, check)
            except Unreadable:
                continue  # the plan takes another crop
            waveforms = self.effects.on_sources(waveforms, crops, (epoch, index))
            waveforms = [None if w is None else w[: len(mixture)] for w in waveforms]
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
        """Read each crop into an array that this thread uses again; None for one without parts."""
        samples, *row = self.source.shape
        shape = (len(crops) + 1, self.effects.samples_needed(samples), *row)
        if getattr(self.local, "waveforms", None) is None or self.local.waveforms.shape != shape:
            dtype = "complex64" if self.source.is_spectra else "float32"
            self.local.waveforms = np.empty(shape, dtype)
        *rows, spare = self.local.waveforms
        for row, crop in zip(rows, crops, strict=True):
            with self._turn(crop):
                self._join(crop, row, spare, check)
        return [row if crop.parts else None for row, crop in zip(rows, crops, strict=True)]

    def _turn(self, crop):
        """Return the lock that lets one thread at a time join many recordings in memory.

        That is hundreds of short steps, each of which gives up Python's lock: threads that do it
        side by side are slower than one.
        """
        many = len(crop.parts) > _MANY and all(self.files.holds(part.stem) for part in crop.parts)
        return self.joining if many else contextlib.nullcontext()

    def _join(self, crop, row, spare, check):
        """Read the parts of a crop, one after the other or at once, into an array."""
        # A rate that, taken for the model's, raises the pitch by so many semitones.
        rate = round(self.source.rate / 2 ** (crop.semitones / 12))
        for number, part in enumerate(crop.parts):
            heard = max(0, round((part.stem.info.seconds - part.start) * rate))
            target = out = row[round(part.at * self.source.rate) :]
            if number:
                target = target[: heard + _ROUNDING]
                out = spare[: len(target)]
            self.files.read(part.stem, rate, row.shape[-1], part.start, out, check=check)
            if part.level is not None:
                bring_to(part.level, out[:heard])
            if number:
                target += out
