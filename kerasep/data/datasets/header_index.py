"""What the headers of a data set's files say, kept from one run to the next.

The index of a folder is one file in the user's cache folder: `data/` and the hash of the folder's
path. An entry holds while its file has the same size and time stamp.
"""

import contextlib
import hashlib
import os
import time
from pathlib import Path
from typing import Annotated

import msgspec

from kerasep.data.audio.audio_info import AudioInfo
from kerasep.errors import InputError
from kerasep.files.atomic import replacing
from kerasep.files.cache import cache_folder
from kerasep.system import logs

_FEWEST = 100  # new headers to write an index for: fewer are read in a moment
_SETTLED = 2 * 10**9  # ns: time stamps of file systems are up to two seconds coarse
_LARGEST = 1 << 30  # bytes
_FORMAT = "kerasep headers 1"

logger = logs.logger(__name__)

_Positive = Annotated[int, msgspec.Meta(ge=1)]


class _Header(msgspec.Struct, array_like=True, forbid_unknown_fields=True, gc=False):
    size: int
    modified: int
    sample_rate: _Positive
    samples: _Positive
    channels: _Positive


class _Index(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    format: str
    folder: bytes
    headers: dict[tuple[bytes, int], _Header]  # by path, from the folder on, and stream


class HeaderIndex:
    """The headers of the files of one data set."""

    def __init__(self, folder: str | os.PathLike):
        self._started = time.time_ns()
        top = Path(folder)
        self._prefix = os.path.join(os.fsencode(top if top.is_dir() else top.parent), b"")
        self._resolved = os.fsencode(top.resolve())
        name = hashlib.sha256(self._resolved).hexdigest()[:32]
        self._path: Path | None = None
        with contextlib.suppress(RuntimeError):  # raised without a home folder
            self._path = cache_folder() / "data" / f"{name}.msgpack"
        self._headers = self._load()
        self._new: dict[tuple[bytes, int], _Header] = {}

    def info(self, path: Path, stream: int) -> AudioInfo | None:
        """Return what a file's header says, or None if it is not known or the file has changed."""
        if not self._headers:
            return None
        name = os.fsencode(path)
        header = self._headers.get((name.removeprefix(self._prefix), stream))
        if header is None or _version(name) != (header.size, header.modified):
            return None
        return AudioInfo(header.sample_rate, header.samples, header.channels)

    def add(self, path: Path, stream: int, info: AudioInfo) -> None:
        """Remember the header of a file that has not changed just before, or since, it was read."""
        name = os.fsencode(path)
        size, modified = _version(name) or (0, self._started)
        if modified < self._started - _SETTLED:
            self._new[name.removeprefix(self._prefix), stream] = _Header(size, modified, *info)

    def save(self) -> None:
        """Write the index if enough headers are new, without the files that are gone."""
        if self._path is None or len(self._new) < _FEWEST:
            return
        kept = {key: header for key, header in self._headers.items() if self._exists(key[0])}
        index = _Index(_FORMAT, self._resolved, kept | self._new)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(self._path) as temporary:
                temporary.write_bytes(msgspec.msgpack.encode(index))
        except (InputError, OSError) as error:
            logger.info("headers are read again next time: %s", error)

    def _load(self):
        if self._path is None:
            return {}
        try:
            if self._path.stat().st_size > _LARGEST:
                raise ValueError("it is too large")
            index = msgspec.msgpack.decode(self._path.read_bytes(), type=_Index)
            if (index.format, index.folder) != (_FORMAT, self._resolved):
                raise ValueError("it is of another folder or version")
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:  # msgspec's errors are ValueErrors
            logger.info("%s is not used and written again: %s", self._path, error)
            return {}
        return index.headers

    def _exists(self, name):
        return os.path.exists(os.path.join(self._prefix, name))


def _version(name):
    """Return a file's size and time stamp, or None for a missing file."""
    with contextlib.suppress(OSError, ValueError):  # ValueError for invalid file names
        status = os.stat(name)
        return status.st_size, status.st_mtime_ns
    return None
