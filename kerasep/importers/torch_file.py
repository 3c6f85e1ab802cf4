"""Weights of a PyTorch or safetensors file, read without running code from the file."""

import io
import math
import mmap
import os
import struct
import warnings
import zipfile
from typing import Any

import numpy as np

from kerasep.errors import InputError
from kerasep.importers import file_kinds, safetensors_file, torch_pickle
from kerasep.importers.state_dicts import find_tensors, without_wrappers

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001
_ZIP_MAGIC = b"PK\x03\x04"
# What zipfile, the unpickler, NumPy and our own code raise for malformed contents.
_MALFORMED = (ValueError, TypeError, LookupError, NotImplementedError, EOFError, OSError)


def read_state_dict(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Read the tensors of a file written by `torch.save`, or of safetensors, without PyTorch.

    Both formats of PyTorch are read: the zip archive of version 1.6 and later, and the older
    stream. The tensors may be at the top or under a usual key such as `"state_dict"`, `"model"` or
    `"ema"`: see `kerasep.importers.state_dicts.PLACES`. Entries that are not tensors are left out,
    as are the prefixes `module.`, `model.` and `_orig_mod.` if all names share them. A view keeps
    its offset and strides, and views of one storage share it. The pickle in the file is read by
    `kerasep.importers.torch_pickle`, which imports and calls nothing.

    Args:
        path: the file.

    Returns:
        A dict: name to numpy array, in the file's order. bfloat16 becomes float32; every other type
        is kept.

    Raises:
        InputError: if the file is missing, truncated, not a PyTorch file, larger unpacked than
            packed, or refers to anything but tensors in plain containers.

    Example:
    ```python
    import pathlib
    from kerasep.errors import InputError
    from kerasep.importers.torch_file import read_state_dict

    pathlib.Path("vocals.pth").write_bytes(b"not a checkpoint")
    try:
        read_state_dict("vocals.pth")
    except InputError as error:
        assert "not a PyTorch file" in str(error)
    ```
    """
    _, state = read_checkpoint(path)
    if not state:
        raise InputError(
            f"{path} is not a PyTorch file of weights: it holds no named tensors, at its top or "
            f"under a key such as state_dict or model: give one written by torch.save(state_dict)"
        )
    return state


def without_buffers(state: dict, ignored: str | tuple[str, ...] = ()) -> dict:
    """Return a state without the batch counters of norms, and names that begin with `ignored`.

    Example:
    >>> state = {"bn.weight": 1, "bn.num_batches_tracked": 2, "stft.window": 3}
    >>> without_buffers(state, "stft.")
    {'bn.weight': 1}
    """
    return {
        name: value
        for name, value in state.items()
        if not name.startswith(ignored) and not name.endswith(".num_batches_tracked")
    }


def read_checkpoint(path: str | os.PathLike) -> tuple[Any, dict[str, np.ndarray]]:
    """Read the tensors of a file of weights as `read_state_dict`, and what was saved beside them.

    Args:
        path: the file.

    Returns:
        The contents of the file, plain containers with stand-ins for tensors and objects; and the
        tensors by name, as from `read_state_dict`, which may be empty. The contents of a
        safetensors file are its metadata.

    Raises:
        InputError: as `read_state_dict`.
    """
    file_kinds.check(path)
    if safetensors_file.is_safetensors(path):
        contents, state = safetensors_file.read(path)
        return contents, without_wrappers(state)
    with open(path, "rb") as file:
        try:
            read = _read_zip if file.read(4) == _ZIP_MAGIC else _read_legacy
            with warnings.catch_warnings():  # of escapes in strings that raise an error later
                warnings.simplefilter("ignore", DeprecationWarning)
                contents, tensors, storages = read(file)
            state = {name: _view(name, each, storages) for name, each in tensors.items()}
            return contents, without_wrappers(state)
        except zipfile.BadZipFile as error:
            raise InputError(
                f"{path} is a broken zip archive, damaged or cut short ({error}): download it again"
            ) from error
        except EOFError as error:
            raise InputError(
                f"{path} is not a PyTorch file of weights, or cut short: download it again"
            ) from error
        except _MALFORMED as error:
            reason = error if isinstance(error, ValueError | OSError) else "it is malformed"
            raise InputError(
                f"{path} is not a PyTorch file of weights: {reason}:"
                " give one written by torch.save(state_dict)"
            ) from error


def _read_zip(file):
    """Read an archive: `<top>/data.pkl`, `<top>/data/<key>` and perhaps `<top>/byteorder`."""
    with zipfile.ZipFile(file) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
        if any(info.compress_type or info.flag_bits & 1 for info in archive.infolist()):
            raise ValueError("it is compressed or encrypted, which PyTorch's files are not")
        # Entries that overlap can hold more than the file: a zip bomb.
        if sum(sizes.values()) > os.fstat(file.fileno()).st_size:
            raise ValueError("it unpacks to more than its own size")
        pickles = [name for name in sizes if name.count("/") == 1 and name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise ValueError("the zip archive holds no data.pkl, so it is another kind of archive")
        top = pickles[0].removesuffix("data.pkl")
        if top + "constants.pkl" in sizes:
            raise ValueError(
                "it is a TorchScript program, whose weights are torch.jit.load(file).state_dict()"
            )
        order = archive.read(top + "byteorder").decode() if top + "byteorder" in sizes else "little"
        if order not in ("little", "big"):
            raise ValueError(f"its byte order is {order!r}")
        contents, _ = torch_pickle.read(io.BytesIO(archive.read(pickles[0])))
        tensors = find_tensors(contents)
        storages = {}
        for storage in {tensor.storage.key: tensor.storage for tensor in tensors.values()}.values():
            name = f"{top}data/{storage.key}"
            if name not in sizes:
                raise ValueError(f"the storage {storage.key!r} is missing")
            storages[storage.key] = _numbers(archive.read(name), storage, order)
        return contents, tensors, storages


def _read_legacy(file):
    """Read the old stream: five pickles, then each storage as a count and its raw numbers."""
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as stream:
        magic, _ = torch_pickle.read(stream)
        protocol, _ = torch_pickle.read(stream)
        if magic != _LEGACY_MAGIC or protocol != _LEGACY_PROTOCOL:
            raise ValueError("its beginning is not a PyTorch file's")
        torch_pickle.read(stream)  # about the writer's system; numbers are little-endian on all
        contents, declared = torch_pickle.read(stream)
        tensors = find_tensors(contents)
        if not tensors:
            return contents, {}, {}
        keys, _ = torch_pickle.read(stream)
        storages = {}
        for key in keys:
            if key not in declared:
                raise ValueError(f"it holds a storage {key!r} that no tensor refers to")
            storage = declared[key]
            count = stream.read(8)
            if len(count) < 8:
                raise ValueError(f"the storage {key!r} is missing: the file is truncated")
            if struct.unpack("<q", count)[0] != storage.numel:
                raise ValueError(f"the storage {key!r} is not of its declared size")
            content = stream.read(storage.numel * _itemsize(storage))
            storages[key] = _numbers(content, storage, "little")
        return contents, tensors, storages


def _itemsize(storage):
    return 2 if storage.dtype == "bfloat16" else np.dtype(storage.dtype).itemsize


def _numbers(content, storage, order):
    """Return the bytes of a storage as a flat array in the byte order of the machine."""
    if len(content) != storage.numel * _itemsize(storage):
        raise ValueError(
            f"the storage {storage.key!r} has {len(content)} bytes but"
            f" {storage.numel * _itemsize(storage)} are declared: the file is truncated or altered"
        )
    widen = storage.dtype == "bfloat16"
    dtype = np.dtype("u2" if widen else storage.dtype)
    numbers = np.frombuffer(content, dtype.newbyteorder(order)).astype(dtype)
    # bfloat16 is the upper half of a float32.
    return (numbers.astype("u4") << 16).view("f4") if widen else numbers


def _view(name, tensor, storages):
    """Return a tensor as a view of its storage; NumPy checks that it stays inside."""
    if tensor.storage.key not in storages:
        raise ValueError(f"the storage {tensor.storage.key!r} is missing")
    numbers = storages[tensor.storage.key]
    offset = (tensor.storage.offset + tensor.offset) * numbers.itemsize
    strides = tuple(stride * numbers.itemsize for stride in tensor.stride)
    if 0 in tensor.size:
        return np.zeros(tensor.size, numbers.dtype)
    # A stride of 0 could make a huge tensor of a small file. No weight is saved like that.
    if math.prod(tensor.size) > numbers.size:
        raise ValueError(f"the tensor {name!r} reaches outside its storage")
    try:
        return np.ndarray(tensor.size, numbers.dtype, numbers, offset, strides)
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError(f"the tensor {name!r} reaches outside its storage") from error
