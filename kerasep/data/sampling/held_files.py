"""Short recordings held in memory, so that each is opened and decoded once."""

import threading

import numpy as np

from kerasep.data.audio.audio_info import as_float
from kerasep.errors import InputError

_SECONDS = 15.0  # the longest that is held
_BYTES = 256 << 20  # of all together


class HeldFiles:
    """Decoded short recordings, shared by threads, up to 256 MB; the rest stays on the disk.

    Opening a file takes longer than reading a word from it, and threads that do so wait for each
    other. Recordings are drawn at random, so those that came first are as good to hold as any.
    """

    def __init__(self):
        self.held, self.bytes, self.lock = {}, 0, threading.Lock()
        self.full = False

    def get(self, key):
        """Return the recording and the status that were put under a key, or twice None."""
        return self.held.get(key, (None, None))

    def put(self, key, decoder, status):
        """Hold what an open decoder reads, if it is short, whole, and there is room."""
        # Once something had no room nothing more is decoded in vain.
        if self.full or decoder.info.seconds > _SECONDS:
            return None
        try:
            recording = Recording(decoder)
        except InputError:
            return None  # whoever reads the damaged part will say so
        with self.lock:
            if key in self.held:  # by another thread, just now
                return recording
            self.full = self.bytes + recording.samples.nbytes > _BYTES
            if self.full:
                return None
            self.held[key] = recording, status
            self.bytes += recording.samples.nbytes
        return recording

    def drop(self, key):
        """Forget a recording."""
        with self.lock:
            recording, _ = self.held.pop(key, (None, None))
            if recording:
                self.bytes -= recording.samples.nbytes


class Recording:
    """A file's samples, read as from a decoder of `kerasep.data.audio.decoders`."""

    def __init__(self, decoder):
        self.path, self.info = decoder.path, decoder.info
        blocks = list(decoder.blocks(0, self.info.samples, self.info.samples))
        self.samples = np.concatenate(blocks) if blocks else np.empty((0, self.info.channels))
        if len(self.samples) != self.info.samples:
            raise InputError(f"{self.path} has {len(self.samples)} samples: get a complete copy")

    def blocks(self, start, samples, size):
        """Yield blocks of at most `size` samples."""
        for first in range(start, start + samples, size):
            yield self.samples[first : min(first + size, start + samples)]

    def read_into(self, start, out):
        """Fill a float32 array `(samples, channels)` from sample `start` on."""
        out[:] = as_float(self.samples[start : start + len(out)])

    def close(self):
        """Do nothing: no file is open."""
