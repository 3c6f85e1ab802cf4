"""One process at a time in a folder."""

import contextlib
import errno
import os
import pathlib
from collections.abc import Iterator

from kerasep.errors import InputError

try:
    import fcntl
except ImportError:  # on Windows nothing is locked
    fcntl = None  # type: ignore[assignment]

_BUSY = (errno.EAGAIN, errno.EACCES)


@contextlib.contextmanager
def locked(folder: str | os.PathLike) -> Iterator[None]:
    """Lock a folder, which is created if it is missing and removed again if it stays empty.

    Raises `InputError` if another process has locked it. The lock is on the folder itself, so no
    file is left in it, and it ends with the process. File systems without locks are not locked.
    """
    folder = pathlib.Path(folder)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"received {folder}, which is a file, expected a folder: choose another")
    with made(folder):
        descriptor = _lock(folder)
        try:
            yield
        finally:
            if descriptor is not None:
                os.close(descriptor)


@contextlib.contextmanager
def made(folder: pathlib.Path) -> Iterator[None]:
    """Create a folder, and remove it at the end, with new parents, if it is empty."""
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # raised for a folder that is not empty
            for path in new:
                path.rmdir()


def _lock(folder):
    """Return a descriptor that holds the lock until it is closed, or None without locks."""
    if fcntl is None:
        return None
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if error.errno in _BUSY:
            raise InputError(
                f"received {folder}, where another run is at work: wait for its end, or choose "
                "another folder"
            ) from error
        return None  # some network file systems cannot lock folders
    return descriptor
