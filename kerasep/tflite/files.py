"""Where a `.tflite` file may be written, and writing it whole or not at all."""

import pathlib

from kerasep.errors import InputError


def checked_path(path, overwrite):
    """Refuse a path that no file should be written to.

    Args:
        path: where to write.
        overwrite: whether an existing file may be replaced.

    Returns:
        A `pathlib.Path`.

    Raises:
        InputError: for another suffix, a folder, one that is not there, or a file that exists.
    """
    path = pathlib.Path(path)
    if path.suffix != ".tflite":
        raise InputError(f"received {path}, expected a file name ending in .tflite")
    if not path.parent.is_dir():
        raise InputError(f"received {path}, but there is no folder {path.parent}: make it first")
    if path.is_dir():
        raise InputError(f"received {path}, expected a file, not a folder")
    if path.exists() and not overwrite:
        raise InputError(f"received {path}, which exists: choose another name, or ask to overwrite")
    return path


def write(path, content):
    """Write a file that is either whole or not there.

    Args:
        path: the file.
        content: bytes.

    Raises:
        InputError: where it cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
