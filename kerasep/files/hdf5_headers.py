"""Headers of an HDF5 file of weights, checked before a number is read."""

import math
import os
import zlib

import h5py

from kerasep.errors import InputError

# What h5py raises for malformed contents.
MALFORMED = (zlib.error, OSError, RuntimeError, KeyError, ValueError, TypeError)
_ADVICE = "save it again with Keras, or fetch a whole copy"
_ATTRIBUTE = 64  # bytes: Keras notes the type of bfloat16 numbers
_SHUFFLE, _DEFLATE = h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_DEFLATE
_FILTERS: tuple[list[int], ...] = ([], [_SHUFFLE], [_DEFLATE], [_SHUFFLE, _DEFLATE])
# Weights that were learned do not get much smaller; the constants among them are short.
_EXPANSION, _SHORT = 64, 1 << 16


def shapes(path: str | os.PathLike, name: object = None) -> dict[str, tuple]:
    """Return the shapes of a file's arrays by name, all of which hold numbers of the file itself.

    Keras and HDF5 read as much as a file declares, follow links into other files, and run filters
    of plugins. Keras writes none of that, so it is an error here. Arrays may be compressed by gzip.
    """
    name = name or path
    try:
        with h5py.File(path, "r") as file:
            return _shapes(file)
    except MALFORMED as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        reason = reason.encode("ascii", "backslashreplace").decode()  # also of names in the file
        raise InputError(
            f"received weights {name}, expected a .weights.h5 file that Keras wrote ({reason}): "
            f"{_ADVICE}"
        ) from error


def _shapes(file):
    """Walk through the groups; h5py's own walk would follow links."""
    size = file.id.get_filesize()
    shapes, total, seen, groups = {}, 0, {h5py.h5o.get_info(file.id).addr}, [("", file)]
    while groups:
        prefix, group = groups.pop()
        for name in group:
            path = f"{prefix}{name}"
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"{path} is a link")
            item = group[name]
            address = h5py.h5o.get_info(item.id).addr
            if address in seen:
                raise ValueError(f"{path} is another name for something else in it")
            seen.add(address)
            if isinstance(item, h5py.Group):
                groups.append((f"{path}/", item))
                continue
            if not isinstance(item, h5py.Dataset):
                raise ValueError(f"{path} is not an array")
            total += _check_array(path, item, size)
            if total > size:
                raise ValueError(f"{path} and those before it are larger than the file")
            shapes[path] = item.shape
    return shapes


def _check_array(path, array, size):
    """Validate the header of an array, and return how many bytes of the file it takes."""
    # The shape comes last: that of a virtual array is in other files.
    plist = array.id.get_create_plist()
    layout = plist.get_layout()
    filters = [plist.get_filter(index)[0] for index in range(plist.get_nfilters())]
    if layout == h5py.h5d.VIRTUAL or plist.get_external_count():
        raise ValueError(f"{path} lies in other files")
    if filters not in _FILTERS:
        raise ValueError(f"{path} is compressed by another filter than gzip")
    dtype = array.dtype
    numbers = array.id.get_type().get_class() in (h5py.h5t.INTEGER, h5py.h5t.FLOAT)
    if not (numbers and dtype.kind in "fiu" and dtype.itemsize <= 8) and not _is_bfloat16(array):
        raise ValueError(f"{path} holds no numbers")
    if array.shape is None:
        raise ValueError(f"{path} has no shape")
    for index in range(h5py.h5a.get_num_attrs(array.id)):
        if h5py.h5a.open(array.id, index=index).get_storage_size() > _ATTRIBUTE:
            raise ValueError(f"{path} has a large attribute")
    declared = math.prod(array.shape) * dtype.itemsize
    if layout == h5py.h5d.CHUNKED:
        return _check_chunks(path, array, declared, size)
    stored, offset = array.id.get_storage_size(), array.id.get_offset()
    # A compact array is in its header, any other has a place in the file.
    absent = offset is None and layout != h5py.h5d.COMPACT and declared
    if declared != stored or absent or (offset is not None and offset + stored > size):
        raise ValueError(f"{path} declares {declared} bytes, which the file does not hold")
    return stored


def _check_chunks(path, array, declared, size):
    """Validate the parts of an array, and return how many bytes of the file they take."""
    chunk = math.prod(array.chunks) * array.dtype.itemsize
    places = []
    array.id.chunk_iter(places.append)
    stored = sum(place.size for place in places)
    if (
        any(length > extent for length, extent in zip(array.chunks, array.shape, strict=True))
        or any(place.byte_offset + place.size > size for place in places)
        or stored > size
        or declared > _EXPANSION * stored + _SHORT
    ):
        raise ValueError(f"{path} declares {declared} bytes, of which the file holds {stored}")
    compressed = array.compression == "gzip"
    for place in places:
        skipped, content = array.id.read_direct_chunk(place.chunk_offset)
        if compressed and not skipped:
            # HDF5 would unpack all of it, whatever the chunk's size is.
            content = zlib.decompressobj().decompress(content, chunk + 1)
        if len(content) != chunk:
            raise ValueError(f"{path} holds a part that is not of its size")
    return stored


def _is_bfloat16(array):
    return array.dtype.kind == "V" and array.dtype.itemsize == 2 and not array.dtype.names
