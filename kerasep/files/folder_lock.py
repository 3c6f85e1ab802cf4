"""One run at a time in a folder."""

import contextlib
import errno
import os
import pathlib

from kerasep.errors import InputError

try:
    import fcntl
except ImportError:  # Windows, where nothing is locked
    fcntl = None  # type: ignore[assignment]

_BUSY = (errno.EAGAIN, errno.EACCES)


@contextlib.contextmanager
def locked(folder):
    """Keep other runs out of a folder as long as the context lasts.

    The folder itself is locked, so no file is left in it, and the operating system ends the lock
    with the process, however that ends. Where a file system has no locks, there is none.

    Args:
        folder: made if it is missing, and removed again if nothing came to lie in it.

    Raises:
        InputError: for a folder in which another run is at work, or a path that is no folder.

    Example:
    ```python
    from kerasep.files.folder_lock import locked

    with locked("stems"):
        pass  # a second `locked("stems")` would raise here, in this process or another
    ```
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
def made(folder):
    """Make a folder, and remove in the end what was made if nothing lies in it.

    Args:
        folder: a `pathlib.Path`.

    Example:
    ```python
    import pathlib
    from kerasep.files.folder_lock import made

    with made(pathlib.Path("stems/song")):
        pass
    assert not pathlib.Path("stems").exists()
    ```
    """
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # raised for a folder that is not empty
            for path in new:
                path.rmdir()


def _lock(folder):
    """Return a descriptor that holds the lock until it is closed; None where there are no locks."""
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
        return None  # some network file systems lock no folders
    return descriptor
