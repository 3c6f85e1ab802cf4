"""Who decodes what: libsndfile plain samples and FLAC, FFmpeg (through PyAV) all the rest.

Both give `info`, `blocks(start, samples, size)`, `read_into(start, out)` and `close()`;
`kerasep.data.audio` is the way in. libsndfile finds each sample of these formats, exactly and fast.
For every other one, and for files that are joined, damaged, or do not know how many samples they
have, FFmpeg's decoding is the reference.
"""

import contextlib
import functools
import os
from pathlib import Path

import soundfile

from kerasep.data.audio.audio_info import native, version, warn_once
from kerasep.data.audio.headers import sample_data
from kerasep.data.audio.sound_file import SoundFile, flac_may_go_on
from kerasep.errors import InputError

RATES = (1_000, 768_000)  # Hz: what lies beyond is a damaged header
CHANNELS = 64
_EMPTY = "holds no samples: remove it or get a complete copy"


def open_audio(path, stream=0):
    """Open an audio file as a context manager; raise InputError if it cannot be used."""
    return contextlib.closing(open_decoder(path, stream))


def open_decoder(path, stream=0):
    """Open an audio file, to be closed by the caller; raise InputError if it cannot be used."""
    path = Path(path)
    if not path.is_file():
        kind = "a folder, not a file" if path.is_dir() else "missing"
        raise InputError(f"{path} is {kind}: expected an audio file, check the path")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path} may not be read: give yourself permission")
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
    """Return whether a file holds plain samples or FLAC, and so one track."""
    data = sample_data(path)
    return data is not None and data.plain


def _sound_file(path):
    """Open a file in libsndfile, or return None if that does not know each of its samples."""
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
    """Return whether FFmpeg finds more in a FLAC file, of one version, than its header counts."""
    if not flac_may_go_on(path):
        return False
    with contextlib.suppress(InputError), contextlib.closing(_container(path, 0)) as counted:
        return counted.info.samples > soundfile.info(native(path)).frames
    return False


def _container(path, stream):
    # Imported here: WAV and FLAC need no PyAV, which takes longer to load than to read them.
    from kerasep.data.audio.container import Container

    return Container(path, stream)
