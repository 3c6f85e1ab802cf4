"""Reads the batches that a plan describes; NumPy and threads only."""

import contextlib
import functools
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from kerasep.data.sampling.buffers import Buffers
from kerasep.data.sampling.held_files import HeldSum
from kerasep.data.sampling.mixing import bring_to, mix, relative_gains
from kerasep.data.sampling.open_files import OpenFiles, Unreadable
from kerasep.data.sampling.pitch import rate_of, read_shifted
from kerasep.errors import InputError

_MANY = 4  # parts of a crop
_ROUNDING = 2  # samples that a part may last longer than its duration says


class CropSource(NamedTuple):
    """The source of a `Reader`: recordings or shards."""

    plan: Any  # see `kerasep.data.sampling.crops`
    open_stem: Callable  # returns a decoder of a stem, see `kerasep.data.audio.decoders`
    shape: tuple[int, ...]  # of a crop: (samples, channels), or (frames, bins, channels)
    rate: int  # in Hz; 1 for spectra, whose plans count frames
    data: Any  # a list of tracks, a pool, or a prepared folder

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
        """Return the number of batches in an epoch; raise an error if there is none."""
        crops = self.source.plan.length
        steps = crops // batch_size if training else -(-crops // batch_size)
        if not steps:
            raise InputError(
                f"received batch_size={batch_size}, training={training}, but an epoch has {crops} "
                "crops: lower batch_size or raise crops_per_track"
            )
        return steps

    def shapes(self, size):
        """Return the shapes of the arrays in a batch of `size` examples."""
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
            if self.effects.steps:
                waveforms = self.effects.on_sources(waveforms, crops, (epoch, index))
                waveforms = [None if w is None else w[: len(mixture)] for w in waveforms]
            with np.errstate(invalid="ignore", over="ignore"):
                gains, swaps = relative_gains(waveforms, crops), [crop.swap for crop in crops]
                finite = mix(waveforms, gains, swaps, mixture, sources)
            # While all samples are finite, checking their sum is enough.
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
        return [
            self._waveform(crop, row, spare, check) for row, crop in zip(rows, crops, strict=True)
        ]

    def _waveform(self, crop, row, spare, check):
        """Read a crop into an array, or return the sum of what is in memory."""
        if not crop.parts:
            return None
        as_held = not (check or crop.semitones or self.effects.steps) and crop.below is None
        if as_held and all(part.at == 0 and part.level is None for part in crop.parts):
            rate = self.source.rate
            held = [self.files.view(p.stem, rate, p.start, row.shape) for p in crop.parts]
            if not any(samples is None for samples in held):
                return HeldSum(held, row, spare)
        with self._turn(crop, row.shape[1:]):
            self._join(crop, row, spare, check)
        return row

    def _turn(self, crop, shape):
        """Return a lock for joining many recordings in memory.

        That is hundreds of short steps, each of which releases Python's lock: threads that do so
        side by side are slower than one.
        """
        many = len(crop.parts) > _MANY and not crop.semitones
        many = many and all(
            self.files.holds(part.stem, self.source.rate, shape) for part in crop.parts
        )
        return self.joining if many else contextlib.nullcontext()

    def _join(self, crop, row, spare, check):
        """Read the parts of a crop, one after the other or at once, into an array."""
        rate, read = self.source.rate, self.files.read
        if crop.semitones:
            rate = rate_of(rate, crop.semitones)
            read = functools.partial(read_shifted, self.files)
        for number, part in enumerate(crop.parts):
            heard = max(0, round((part.stem.info.seconds - part.start) * rate))
            target = out = row[round(part.at * self.source.rate) :]
            if number:
                target = target[: heard + _ROUNDING]
                out = spare[: len(target)]
            read(part.stem, rate, part.start, out, check=check)
            if part.level is not None:
                bring_to(part.level, out[:heard])
            if number:
                target += out
