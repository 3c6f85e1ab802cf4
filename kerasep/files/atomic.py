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

    After an error, or Ctrl-C, nothing is left behind and what was at `path` is as it was. Two
    processes may write the same path: the last one wins.

    Args:
        path: the file to be replaced, or a folder that does not exist or is empty.

    Raises:
        InputError: the file cannot be written.

    Example:
    ```python
    import pathlib
    from kerasep.files.atomic import replacing

    with replacing("scores.txt") as temporary:
        temporary.write_text("9.2 dB")
    assert pathlib.Path("scores.txt").read_text() == "9.2 dB"
    ```
    """
    path = pathlib.Path(path)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:  # h5py's have no number, and no file's name
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        remove(temporary)


def remove(path: pathlib.Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def remove_partial(folder: pathlib.Path) -> None:
    """Remove what writers that were killed left in a folder."""
    for leftover in folder.glob(".*.partial"):
        remove(leftover)
