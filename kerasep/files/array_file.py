"""Arrays of untrusted `.npz` files: no pickle, no more memory than the file is long."""

import os
import re
import zipfile
from typing import BinaryIO

import numpy as np

_HEADER = re.compile(
    rb"\{'descr': '([<|][biuf]\d{1,2})', 'fortran_order': (True|False), "
    rb"'shape': \(((?:\d{1,12},? ?){0,8})\), \} *\n"
)
_MAGIC = b"\x93NUMPY\x01\x00"


def read_arrays(file: BinaryIO) -> dict[str, np.ndarray]:
    """Read the arrays of an uncompressed `.npz` file; raises `ValueError` for anything else."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if any(one.compress_type != zipfile.ZIP_STORED or one.flag_bits & 1 for one in members):
                raise ValueError("a member is compressed or encrypted")
            if sum(max(one.file_size, one.compress_size) for one in members) > size:
                raise ValueError("its members are declared larger than the file")
            if len({one.filename for one in members}) < len(members):
                raise ValueError("a member is there twice")
            return {one.filename.removesuffix(".npy"): _array(archive.read(one)) for one in members}
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        EOFError,
        OSError,
        RuntimeError,
        OverflowError,
    ) as error:
        raise ValueError(f"it is not a whole .npz file ({error})") from error


def _array(content):
    """Parse a `.npy` file of numbers or booleans."""
    start = len(_MAGIC) + 2
    length = int.from_bytes(content[start - 2 : start], "little")
    header = _HEADER.fullmatch(content[start : start + length])
    if not content.startswith(_MAGIC) or not header:
        raise ValueError("a member is not an array of numbers")
    name, fortran, sides = (part.decode() for part in header.groups())
    shape = tuple(int(side) for side in sides.replace(",", " ").split())
    try:
        values = np.frombuffer(content, np.dtype(name), offset=start + length)
        return values.reshape(shape, order="F" if fortran == "True" else "C")
    except TypeError as error:
        raise ValueError(f"a member has the unknown type {name}") from error
