"""Write files and folders completely or not at all."""

import contextlib
import os
import pathlib
import shutil
import uuid
from collections.abc import Iterator

from kerasep.errors import InputError


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[pathlib.Path]:
    """Yield a temporary path, and move what was written there to `path` at the end.

    After an error, or Ctrl-C, nothing is left behind and `path` is as it was. A folder at `path`
    must be empty. Two processes may write the same path: the last one wins. An `OSError` becomes
    an `InputError`.
    """
    with temporary_beside(path) as temporary:
        try:
            yield temporary
            os.replace(temporary, path)
        except OSError as error:  # h5py's have no number, and no file's name
            raise InputError(f"cannot write {path}: {error.strerror or error}") from error


@contextlib.contextmanager
def temporary_beside(path: str | os.PathLike) -> Iterator[pathlib.Path]:
    """Yield a hidden path in the folder of `path`, and remove what is there at the end."""
    path = pathlib.Path(path)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        yield temporary
    finally:
        remove(temporary)


def remove(path: pathlib.Path) -> None:
    """Remove a file or a folder, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def remove_partial(folder: pathlib.Path) -> None:
    """Remove what killed writers left in a folder."""
    for leftover in folder.glob(".*.partial"):
        remove(leftover)
