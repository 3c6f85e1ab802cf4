"""The weights in a checkpoint of TensorFlow 1: an index, and a file of numbers beside it."""

import os
import pathlib

from kerasep.errors import InputError
from kerasep.importers import file_kinds, tf_table

_LARGEST_INDEX = 1 << 22  # that of Spleeter with five stems is 1 % of this
_DATA = ".data-00000-of-"


def find(path: str | os.PathLike) -> pathlib.Path | None:
    """Find a checkpoint by the content of its files.

    Args:
        path: the index, the file of numbers, their common beginning, or the folder that holds one
            checkpoint.

    Returns:
        The common beginning, a `pathlib.Path`; None if there is no checkpoint.

    Raises:
        InputError: for a folder with several.

    Example:
    >>> find("no/such/folder") is None
    True
    """
    path = pathlib.Path(path)
    if path.is_dir():
        found = [file for file in sorted(path.glob("*.index")) if _is_index(file)]
        if len(found) > 1:
            names = ", ".join(file.name for file in found[:3])
            raise InputError(f"received {path} with {len(found)} checkpoints ({names}): name one")
        return found[0].with_suffix("") if found else None
    beginning = path.name.removesuffix(".index").split(_DATA)[0]
    index = path.with_name(f"{beginning}.index")
    return index.with_suffix("") if _is_index(index) else None


def read(path: str | os.PathLike) -> dict:
    """Read all arrays of a checkpoint.

    Args:
        path: as for `find`.

    Returns:
        A dict: name to numpy array.

    Raises:
        InputError: if there is no checkpoint, or it is damaged or lacks its numbers.

    Example:
    >>> read("no/such/model.index")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    kerasep.errors.InputError: received no/such/model.index, expected a TensorFlow checkpoint: ...
    """
    beginning = find(path)
    if beginning is None:
        path = pathlib.Path(path)
        for file in sorted(path.glob("*.index")) if path.is_dir() else [path]:
            if file.is_file():
                file_kinds.check(file)
        raise InputError(
            f"received {path}, expected a TensorFlow checkpoint: a file ending in .index with the "
            f"one ending in {_DATA}00001 beside it, or their folder"
        )
    advice = "fetch both files again"
    numbers = beginning.with_name(f"{beginning.name}{_DATA}00001")
    try:
        file_kinds.check(numbers)
        size = numbers.stat().st_size
        index = beginning.with_name(f"{beginning.name}.index")
        if index.stat().st_size > _LARGEST_INDEX:
            raise ValueError(f"its index is larger than {_LARGEST_INDEX} bytes")
        tf_table.check(index.read_bytes(), size)
    except (ValueError, OSError) as error:
        raise InputError(
            f"received the checkpoint {beginning}, which is damaged or lacks its numbers "
            f"({error}): {advice}"
        ) from error
    # TensorFlow 2 reads what TensorFlow 1 wrote; on other backends nothing else here needs it.
    import tensorflow as tf

    try:
        reader = tf.compat.v1.train.NewCheckpointReader(os.fsencode(beginning))
        return {
            name: reader.get_tensor(name) for name in sorted(reader.get_variable_to_shape_map())
        }
    except (tf.errors.OpError, IndexError, ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(
            f"received the checkpoint {beginning}, which is damaged or lacks its numbers "
            f"({reason}): {advice}"
        ) from error


def _is_index(path):
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - len(tf_table.MAGIC)))
        return file.read() == tf_table.MAGIC
