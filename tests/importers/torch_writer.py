"""Files as `torch.save` writes them, and some that it never would."""

import io
import pickle
import struct
import zipfile

import numpy as np
import pytest

MAGIC = 0x1950A86A20F9469CFC6C


class Name:
    """Pickles as the bare global `module.name`, whether or not that can be imported."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class Call:
    """Pickles as a call of a global, as an attacker or PyTorch itself would write it."""

    def __init__(self, function, *arguments, state=None):
        self.function, self.arguments, self.state = function, arguments, state


class Saved(tuple):
    """Pickles as a persistent id."""


class Pickler(pickle._Pickler):
    """Writes what PyTorch would, without it: names that need not exist, arrays as tensors.

    The C pickler would insist on importing what is named. `storages` are the arrays' numbers, which
    PyTorch saves beside the pickle.
    """

    def __init__(self, file, protocol):
        super().__init__(file, protocol)
        self.storages = []

    def persistent_id(self, item):
        return tuple(item) if isinstance(item, Saved) else None

    def save(self, item, *args, **kwargs):
        if isinstance(item, Name):
            self.write(pickle.GLOBAL + f"{item.module}\n{item.name}\n".encode())
        elif isinstance(item, Call):
            self.save(item.function)
            self.save(tuple(item.arguments))
            self.write(pickle.REDUCE)
            if item.state is not None:
                self.save(item.state)
                self.write(pickle.BUILD)
        elif isinstance(item, np.ndarray):
            item = np.ascontiguousarray(item, "<f4")
            strides = tuple(step // 4 for step in item.strides)
            self.save(tensor(item.shape, strides, 0, item.size, key=str(len(self.storages))))
            self.storages.append(item)
        else:
            super().save(item, *args, **kwargs)


FLOATS = Name("torch", "FloatStorage")
REBUILD = Name("torch._utils", "_rebuild_tensor_v2")
ORDERED = Name("collections", "OrderedDict")


def pickled(item, protocol=2):
    file = io.BytesIO()
    Pickler(file, protocol).dump(item)
    return file.getvalue()


def tensor(size, stride, offset=0, numel=6, kind=FLOATS, view=(), key="0"):
    storage = Saved(("storage", kind, key, "cpu", numel, *view))
    return Call(REBUILD, storage, offset, size, stride, False, Call(ORDERED))


def write_zip(path, item, numbers=b"", byteorder="little", compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("vocals/data.pkl", pickled(item))
        archive.writestr("vocals/byteorder", byteorder)
        archive.writestr("vocals/data/0", numbers)
    return path


def write_legacy(path, item, numbers=b"", count=6, keys=("0",)):
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}
    contents = b"".join(pickled(each) for each in (MAGIC, 1001, system, item, list(keys)))
    path.write_bytes(contents + struct.pack("<q", count) + numbers)
    return path


WRITERS = pytest.mark.parametrize("write", [write_zip, write_legacy])
SIX = np.arange(6, dtype="<f4")
