"""Checkpoints in gzipped tar archives, as some projects publish them."""

import contextlib
import os
import pathlib
import re
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator

from kerasep.errors import InputError

_LARGEST = 1 << 30  # bytes, unpacked: Spleeter's five stems are a fifth of it
_GZIP = b"\x1f\x8b\x08"


def is_archive(path: str | os.PathLike) -> bool:
    """Return whether a file begins as one of gzip; False if there is no file."""
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        return file.read(len(_GZIP)) == _GZIP


@contextlib.contextmanager
def unpacked(path: str | os.PathLike, names: str) -> Iterator[pathlib.Path]:
    """Yield a temporary folder with the files of an archive whose whole names match an expression.

    Folders in the archive are left out, and links, so nothing is written anywhere else.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            count = _unpack(path, pathlib.Path(folder), re.compile(names))
        except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError) as error:
            raise InputError(f"{path} is a damaged archive ({error}): fetch it again") from error
        if not count:
            raise InputError(f"{path} holds no file named {names}, expected a checkpoint in it")
        yield pathlib.Path(folder)


def _unpack(path, folder, names):
    """Write the files that match, and return how many there were."""
    left, count = _LARGEST, 0
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            name = pathlib.PurePosixPath(member.name).name
            if not member.isfile() or not names.fullmatch(name):
                continue
            left -= member.size
            if left < 0:
                raise ValueError(f"it unpacks to more than {_LARGEST} bytes")
            content = archive.extractfile(member)
            with open(folder / name, "xb") as file:
                shutil.copyfileobj(content, file)
            count += 1
    return count
