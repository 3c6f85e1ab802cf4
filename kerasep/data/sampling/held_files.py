"""Short recordings held in memory, so that each is opened and decoded once."""

import threading

from kerasep.data.audio.audio_info import as_float
from kerasep.data.audio.reading import decode
from kerasep.errors import InputError

_SECONDS = 15.0  # the longest that is held
_BYTES = 256 << 20  # of all together


class HeldFiles:
    """Decoded short recordings, shared by threads, up to 256 MB.

    Opening a file takes longer than reading a word from it, and blocks other threads. As recordings
    are drawn at random, the first ones are kept.
    """

    def __init__(self):
        self.held, self.bytes, self.lock = {}, 0, threading.Lock()
        self.full = False

    def get(self, key):
        """Return the recording and the status that were put under a key, or twice None."""
        return self.held.get(key, (None, None))

    def put(self, key, decoder, status):
        """Hold what an open decoder reads, if it is short, whole, and there is room."""
        # Once a recording did not fit, no other is decoded in vain.
        if self.full or decoder.info.seconds > _SECONDS:
            return None
        try:
            recording = Recording(decoder)
        except InputError:
            return None  # reading the damaged part reports it
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
        self.samples = decode(decoder, self.info.sample_rate, 0, self.info.samples)

    def blocks(self, start, samples, size):
        """Yield blocks of at most `size` samples."""
        for first in range(start, start + samples, size):
            yield self.samples[first : min(first + size, start + samples)]

    def read_into(self, start, out):
        """Fill a float32 array `(samples, channels)` from sample `start` on."""
        out[:] = as_float(self.samples[start : start + len(out)])

    def close(self):
        """Do nothing: no file is open."""
