"""The choice of a decoder: libsndfile for plain samples and FLAC, FFmpeg for everything else.

A decoder has `path`, `info`, `blocks(start, samples, size)`, `read_into(start, out)` and `close()`.
FFmpeg also decodes joined or damaged files, and those whose length is unknown.
"""

import contextlib
import functools
import os
from pathlib import Path

import soundfile

from kerasep.data.audio.audio_info import native, version, warn_once
from kerasep.data.audio.headers import sample_data
from kerasep.data.audio.sound_file import SoundFile, flac_may_go_on
from kerasep.errors import InputError, installed_by

RATES = (1_000, 768_000)  # Hz: other rates mean a damaged header
CHANNELS = 64
_EMPTY = "holds no samples: remove it or get a complete copy"


def open_audio(path, stream=0):
    """Return `open_decoder` as a context manager."""
    return contextlib.closing(open_decoder(path, stream))


def open_decoder(path, stream=0):
    """Return an open decoder of an audio file; raises `InputError` if it cannot be used."""
    path = Path(path)
    if not path.is_file():
        kind = "a folder, not a file" if path.is_dir() else "missing"
        raise InputError(f"{path} is {kind}: expected an audio file, check the path")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path} cannot be read: permission denied, change its permissions")
    if not path.stat().st_size:
        raise InputError(f"{path} is empty: expected an audio file, get a complete copy")
    audio = (None if stream else _sound_file(path)) or _container(path, stream)
    rate, samples, channels = audio.info
    problem = None
    if not samples:
        problem = _EMPTY
    elif not RATES[0] <= rate <= RATES[1]:
        problem = f"says {rate} Hz, expected {RATES[0]} to {RATES[1]} Hz: its header is damaged"
    elif channels > CHANNELS:
        problem = f"has {channels} channels, expected at most {CHANNELS}: split it"
    if problem:
        audio.close()
        raise InputError(f"{path} {problem}")
    return audio


def is_plain(path):
    """Return whether a file holds plain samples or FLAC, and so a single track."""
    data = sample_data(path)
    return data is not None and data.plain


def _sound_file(path):
    """Return a libsndfile decoder, or None if that would not find each sample of the file."""
    data = sample_data(path)
    if data is None or not data.plain or (data.declared is None and not data.present):
        return None
    if data.declared is not None and data.declared > data.present:
        raise InputError(
            f"{path} is truncated: its header says {data.declared} bytes of audio, the file has "
            f"{data.present}: get a complete copy"
        )
    if not data.present:
        raise InputError(f"{path} {_EMPTY}")
    try:
        audio = SoundFile(path)
    except soundfile.LibsndfileError:
        return None
    if data.declared == 0 and data.present:
        warn_once(f"{path}: its header says 0 bytes of audio: read to the end of the file")
    if audio.is_exact() and not (audio.file.format == "FLAC" and _goes_on(path, version(path))):
        return audio
    audio.close()
    return None


@functools.lru_cache(4096)
def _goes_on(path, _):
    """Return whether a FLAC file, in this version, has more samples than its header says."""
    if not flac_may_go_on(path):
        return False
    with contextlib.suppress(InputError), contextlib.closing(_container(path, 0)) as counted:
        return counted.info.samples > soundfile.info(native(path)).frames
    return False


def _container(path, stream):
    # Imported late: PyAV takes longer to load than a WAV file to read.
    with installed_by():
        from kerasep.data.audio.container import Container

    return Container(path, stream)
