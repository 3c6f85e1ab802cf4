"""`AudioInfo`, and what all decoders share: scaling, file versions, warnings and errors."""

import functools
import os
from typing import NamedTuple

import numpy as np

from kerasep.errors import InputError
from kerasep.system import logs

log = logs.logger(__name__)


class AudioInfo(NamedTuple):
    """Sample rate in Hz, samples (per channel) and channels of an audio file."""

    sample_rate: int
    samples: int
    channels: int

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return self.samples / self.sample_rate


def as_float(block: np.ndarray, gain: float = 1.0) -> np.ndarray:
    """Return a decoded block as float32 with full scale ±1, times a gain."""
    if block.dtype == np.int16:
        gain /= 32768
    return block if gain == 1 else block * np.float32(gain)


def native(path: str | os.PathLike) -> str | bytes:
    """Return a file name as soundfile needs it, even if its bytes are not UTF-8."""
    return os.fspath(path) if os.name == "nt" else os.fsencode(path)


def version(path):
    """Return a cache key that changes whenever the file does."""
    status = os.stat(path)
    return status.st_mtime_ns, status.st_size, status.st_ino


@functools.lru_cache(4096)
def warn_once(message):
    """Log a warning once: crops of one file are read many times."""
    log.warning("%s", message)


def not_audio(path):
    """Return the error for a file that no decoder reads."""
    return InputError(
        f"{path} is not audio that can be read: expected WAV, FLAC, OGG, MP3, AIFF, M4A, MP4, "
        "WebM or another format that FFmpeg reads: convert it"
    )


def damaged(path, reason):
    """Return the error for a file whose decoding fails."""
    return InputError(f"{path} is damaged: {reason or 'decoding failed'}: get a complete copy")


def not_finite(path):
    """Return the error for a file with NaN or infinite samples."""
    return InputError(f"{path} has NaN or infinite samples: repair the file")


def stops_early(path, expected, samples):
    """Return the error for a file that is shorter than its header says."""
    return InputError(
        f"{path} is truncated: its header says {expected} samples, decoding stops after {samples}: "
        "get a complete copy"
    )
