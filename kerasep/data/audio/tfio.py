"""Read audio files by tensorflow-io, for `reader="tensorflow-io"`.

With TensorFlow 2.17 and later the import succeeds, but every operation fails.
"""

import contextlib
import functools
import itertools
import os

import numpy as np
import soundfile
import tensorflow as tf

from kerasep.data.audio.audio_info import AudioInfo, damaged, native, stops_early
from kerasep.data.audio.decoders import open_decoder
from kerasep.errors import InputError

# What its operations return for each kind of file, by libsndfile's name for it. They take 32-bit
# integers in WAV for floats, and read no others.
_TYPES = {
    ("WAV", "PCM_16"): tf.int16,
    ("WAV", "PCM_24"): tf.int32,
    ("WAV", "FLOAT"): tf.float32,
    ("FLAC", "PCM_16"): tf.int16,
    ("FLAC", "PCM_24"): tf.int32,
    ("OGG", "VORBIS"): tf.float32,
    ("MP3", "MPEG_LAYER_III"): tf.float32,
}
_free_names: list[str] = []
_numbers = itertools.count()
_SCALES = {tf.int16: 2.0**-15, tf.int32: 2.0**-31, tf.float32: 1.0}


@functools.cache
def check_available():
    """Run one of tensorflow-io's operations, and raise an error if that fails."""
    try:
        import tensorflow_io

        tensorflow_io.audio.resample(tf.zeros((8, 1)), 2, 1)
    except ImportError as error:
        raise InputError(
            "received reader='tensorflow-io', which is not installed: expected None for kerasep's "
            'own reader, or pip install "kerasep[tfio]" "tensorflow==2.16.2"'
        ) from error
    except (NotImplementedError, AttributeError, tf.errors.OpError) as error:
        raise InputError(
            "received reader='tensorflow-io', whose operations do not run with TensorFlow "
            f"{tf.__version__}: expected None for kerasep's own reader, or TensorFlow 2.16"
        ) from error


def open_stem(stem):
    """Open a stem by tensorflow-io, or by kerasep's own decoders if it does not read such files."""
    try:
        header = soundfile.info(native(stem.path))
        info = AudioInfo(header.samplerate, header.frames, header.channels)
        dtype = _TYPES.get((header.format, header.subtype))
    except (soundfile.LibsndfileError, TypeError):
        dtype = None
    if dtype is None or stem.stream or info != stem.info:
        return open_decoder(stem.path, stem.stream)
    return TensorFlowIOFile(stem.path, info, dtype)


class TensorFlowIOFile:
    """One file open in tensorflow-io, with the interface of `kerasep.data.audio.decoders`."""

    def __init__(self, path, info, dtype):
        from tensorflow_io.python.ops import core_ops

        self.path, self.info, self.dtype = path, info, dtype
        self.read = core_ops.io_audio_readable_read
        # Files that are open at the same time need different names. TensorFlow never forgets a
        # name, so those of closed files are reused.
        try:
            self.name = _free_names.pop()
        except IndexError:
            self.name = f"kerasep_{next(_numbers)}"
        with self._errors(), tf.device("/cpu:0"):
            self.file = core_ops.io_audio_readable_init(os.fsencode(path), shared_name=self.name)

    def blocks(self, start, samples, size):
        """Yield float32 blocks of at most `size` samples."""
        for first in range(start, start + samples, size):
            block = np.empty((min(size, start + samples - first), self.info.channels), "float32")
            self.read_into(first, block)
            yield block

    def read_into(self, start, out):
        """Fill a float32 array `(samples, channels)` from sample `start` on."""
        with self._errors(), tf.device("/cpu:0"):
            part = self.read(self.file, start, start + len(out), dtype=self.dtype).numpy()
        if len(part) < len(out):
            raise stops_early(self.path, self.info.samples, start + len(part))
        np.multiply(part, np.float32(_SCALES[self.dtype]), out=out)

    @contextlib.contextmanager
    def _errors(self):
        try:
            yield
        except (tf.errors.OpError, ValueError) as error:
            raise damaged(self.path, getattr(error, "message", str(error))) from error

    def close(self):
        """Release the reader's name for another file."""
        _free_names.append(self.name)
