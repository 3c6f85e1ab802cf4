"""Decoded samples held in memory, so that each is decoded and resampled once."""

import threading
import weakref

import numpy as np

from kerasep.errors import InputError
from kerasep.system import memory

_LEAST = 256 << 20  # bytes that are held even if memory is scarce
_shared: weakref.WeakValueDictionary = weakref.WeakValueDictionary()


class HeldFiles:
    """Blocks of recordings, shared by threads: as decoded, so 16-bit samples take two bytes each.

    Half of the memory that was free in the beginning stays free, whatever else takes of it. So the
    processes of a data service can hold blocks side by side. As crops are drawn at random, the
    first blocks are kept.
    """

    def __init__(self):
        self.held, self.bytes, self.lock = {}, 0, threading.Lock()
        self.reserve, self.full = memory.free() // 2, False

    def find(self, key, status):
        """Return what is held under a key, or None; forget what is of another version."""
        with self.lock:
            recording = self.held.get(key)
            if recording is not None and recording.status != status:
                del self.held[key]
                self.bytes -= recording.bytes
                return None
            return recording

    def rows(self, recording, first, count, open_decoder):
        """Return rows, after decoding the missing blocks; None if they cannot all be held."""
        missing = recording.missing(first, count)
        for number in missing:
            # Once a block did not fit, no other is decoded in vain.
            self.full |= self.bytes > _LEAST and memory.free() < self.reserve
            if self.full:
                return None
            try:
                block = recording.block(number, open_decoder())
            except InputError:
                return None  # reading the damaged part reports it
            with self.lock:
                # Another thread may have begun to hold it.
                recording = self.held.setdefault(recording.key, recording)
                self.bytes += recording.put(number, block)
        return recording.samples[first : first + count]


def shared():
    """Return those of the process, which last as long as a pipeline uses them."""
    return _shared.setdefault("held", HeldFiles())


class HeldSum:
    """The sum of held rows, converted slice by slice in two arrays that stay in the cache."""

    def __init__(self, parts, total, spare):
        self.parts, self.total, self.spare = parts, total, spare

    def __getitem__(self, rows):
        total, spare = (array[: rows.stop - rows.start] for array in (self.total, self.spare))
        for number, part in enumerate(self.parts):
            scale = np.float32(2**-15 if part.dtype == np.int16 else 1)
            np.multiply(part[rows], scale, out=spare if number else total)
            if number:
                total += spare
        return total
