"""Weights of a `.safetensors` file, also of types that NumPy lacks."""

import json
import math
import os
from typing import Any

import numpy as np

from kerasep.errors import InputError

_LONGEST_HEADER = 100_000_000  # bytes; the format's own limit
_DTYPES = {"F64": "f8", "F32": "f4", "F16": "f2", "BF16": "u2", "BOOL": "?", "C64": "c8"}
_DTYPES |= {f"{kind}{8 * size}": f"{kind.lower()}{size}" for kind in "IU" for size in (1, 2, 4, 8)}


def is_safetensors(path: str | os.PathLike) -> bool:
    """Return whether a file begins as safetensors do: with the length of a header in JSON.

    Args:
        path: the file.
    """
    with open(path, "rb") as file:
        start = file.read(9)
    return len(start) == 9 and start[8:] == b"{" and _header_length(start) <= _LONGEST_HEADER


def read(path: str | os.PathLike) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read the tensors of a `.safetensors` file and its metadata.

    Args:
        path: the file.

    Returns:
        The metadata, in which texts that are JSON are decoded, with the tensors under
        `"state_dict"`; and the tensors, a dict from name to numpy array. bfloat16 becomes float32;
        every other type is kept.

    Raises:
        InputError: if the file is cut short or malformed, or has numbers of another type.

    Example:
    ```python
    import json, pathlib, struct
    import numpy as np
    from kerasep.importers import safetensors_file

    header = {"gain": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
    header = json.dumps({"__metadata__": {"model": "umx"}, **header}).encode()
    numbers = np.array([1, 2], "<f4").tobytes()
    pathlib.Path("a.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + numbers)
    about, state = safetensors_file.read("a.safetensors")
    assert about["model"] == "umx" and state["gain"].tolist() == [1.0, 2.0]
    ```

    Reference:
        The format: https://github.com/huggingface/safetensors
    """
    try:
        with open(path, "rb") as file:
            length = _header_length(file.read(8))
            header = file.read(length)
            numbers = np.fromfile(file, "u1")
        if len(header) < length:
            raise ValueError("its header is cut short")
        entries = json.loads(header)
        metadata = entries.pop("__metadata__", {})
        spans = [entry["data_offsets"] for entry in entries.values()]
        end = max((stop for _, stop in spans), default=0)
        if end > len(numbers):
            raise ValueError(f"it is cut short, with {len(numbers)} of {end} bytes of numbers")
        # Tensors that share bytes could unpack to far more than the file.
        if sum(stop - start for start, stop in spans) > len(numbers):
            raise ValueError("its tensors overlap")
        state = {name: _tensor(name, numbers, **entry) for name, entry in entries.items()}
        decoded = {name: _decoded(text) for name, text in metadata.items()}
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        reason = error if type(error) is ValueError else "its header is malformed"
        raise InputError(
            f"{path} is not a safetensors file of weights: {reason}: download it again"
        ) from error
    return {**decoded, "state_dict": state}, state


def _header_length(start):
    return int.from_bytes(start[:8], "little")


def _tensor(name, numbers, dtype, shape, data_offsets):
    """Return a tensor as a view of the file's numbers."""
    if dtype not in _DTYPES:
        raise ValueError(f"the tensor {name!r} is of type {dtype}, which cannot be read")
    start, stop = data_offsets
    size = math.prod(shape) * np.dtype(_DTYPES[dtype]).itemsize
    if start < 0 or min(shape, default=0) < 0 or stop - start != size:
        raise ValueError(f"the tensor {name!r} has {stop - start} bytes, expected {size}")
    values = numbers[start:stop].view(np.dtype(_DTYPES[dtype]).newbyteorder("<"))
    if dtype == "BF16":  # the upper half of a float32
        values = (values.astype("u4") << 16).view("f4")
    return values.reshape(shape)


def _decoded(text):
    """Return a text of the metadata as the JSON that it is, or else as it is."""
    try:
        return json.loads(text)
    except ValueError:
        return text
