"""Validation of the index of a TensorFlow checkpoint, before TensorFlow reads it.

A malformed index ends the whole process in TensorFlow, or takes as much memory as it declares.
"""

import math
import struct

MAGIC = bytes.fromhex("57fb808b247547db")
_FOOTER = 48
_PLAIN = 0  # kind of a block that is not compressed; TensorFlow writes no others
_TRAILER = 5  # a byte for the kind of block, and its checksum
# NumPy's names for TensorFlow's type numbers.
_TYPES = {1: "f4", 2: "f8", 3: "i4", 4: "u1", 5: "i2", 6: "i1", 9: "i8", 10: "?", 17: "u2"}
_TYPES |= {19: "f2", 22: "u4", 23: "u8"}
# Fields of its protocol buffers, and how each is written.
_NUMBER, _BYTES, _FIXED = 0, 2, 5
_HEADER = {1: _NUMBER, 2: _NUMBER, 3: _BYTES}  # files, endianness, version
_ARRAY = {1: _NUMBER, 2: _BYTES, 3: _NUMBER, 4: _NUMBER, 5: _NUMBER, 6: _FIXED}
_SHAPE, _DIMENSION = {2: _BYTES}, {1: _NUMBER, 2: _BYTES}
_AXES = 8
_POLYNOMIAL = 0x82F63B78


def check(index: bytes, size: int) -> None:
    """Raise a ValueError unless all arrays of an index are inside its data file of `size` bytes."""
    (first, header), *entries = _entries(index)
    described = _fields(header, _HEADER)
    if first or described.get(1) != [1] or any(described.get(2, [])):
        raise ValueError("its numbers are not in one file, or not little-endian")
    total = 0
    for name, content in entries:
        total += _check_array(name.decode(), content, size)
    if total > size:
        raise ValueError("its arrays are larger than its file of numbers")


def _check_array(name, content, size):
    """Validate the description of an array, and return its size in bytes."""
    fields = _fields(content, _ARRAY)
    (kind,), (offset,), (length,), (file,) = (fields.get(number, [0]) for number in (1, 4, 5, 3))
    if kind not in _TYPES or file:
        raise ValueError(f"it holds {name!a}, which is not of numbers")
    sizes = [size for shape in fields.get(2, []) for size in _fields(shape, _SHAPE).get(2, [])]
    shape = [_fields(size, _DIMENSION).get(1, [0])[-1] for size in sizes]
    declared = math.prod(shape) * int(_TYPES[kind][-1].replace("?", "1"))
    # TensorFlow multiplies the sizes before it comes to one of 0.
    huge = len(shape) > _AXES or math.prod(max(1, extent) for extent in shape) > max(1, size)
    if huge or declared != length or offset + length > size:
        raise ValueError(f"it declares {declared} bytes for {name!a}, which are not there")
    return length


def _entries(index):
    """Read the sorted table: pairs of key and value."""
    if len(index) < _FOOTER or index[-len(MAGIC) :] != MAGIC:
        raise ValueError("its end is missing")
    _, _, start, length, _ = _numbers(index[-_FOOTER:], 4)
    found = []
    for _, handle in _block(index, start, length):
        start, length, _ = _numbers(handle, 2)
        found += _block(index, start, length)
    keys = [key for key, _ in found]
    if not keys or keys != sorted(set(keys)):
        raise ValueError("its names are not in order")
    return found


def _block(index, start, length):
    """Read a block: entries whose keys leave out what they share with the key before."""
    end = start + length
    if end + _TRAILER > len(index) - _FOOTER or length < 4:
        raise ValueError("a part of it is missing")
    (checksum,) = struct.unpack_from("<I", index, end + 1)
    if index[end] != _PLAIN or checksum != _checksum(index[start : end + 1]):
        raise ValueError("a part of it is damaged or compressed")
    (restarts,) = struct.unpack_from("<I", index, end - 4)
    content = memoryview(index)[start : max(start, end - 4 - 4 * restarts)]
    entries, key = [], b""
    while content:
        shared, own, size, content = _numbers(content, 3)
        if shared > len(key) or own + size > len(content):
            raise ValueError("a part of it is malformed")
        key = key[:shared] + bytes(content[:own])
        entries.append((key, bytes(content[own : own + size])))
        content = content[own + size :]
    return entries


def _fields(message, known):
    """Read a protocol buffer of known fields only: lists of values by field number."""
    found, rest = {}, memoryview(message)
    while rest:
        key, rest = _numbers(rest, 1)
        number, kind = key >> 3, key & 7
        if known.get(number) != kind or (number in found and known is not _SHAPE):
            raise ValueError("a description in it is malformed")
        if kind == _NUMBER:
            value, rest = _numbers(rest, 1)
        else:
            length = 4
            if kind == _BYTES:
                length, rest = _numbers(rest, 1)
            if length > len(rest):
                raise ValueError("a description in it is malformed")
            value, rest = bytes(rest[:length]), rest[length:]
        found.setdefault(number, []).append(value)
    return found


def _numbers(content, count):
    """Read numbers of seven bits a byte, the last byte of each below 128; return the rest too."""
    values, at = [], 0
    for _ in range(count):
        value = shift = 0
        while True:
            if at == len(content) or shift > 63:
                raise ValueError("a number in it is malformed")
            value |= (content[at] & 127) << shift
            shift += 7
            at += 1
            if content[at - 1] < 128:
                break
        values.append(value)
    return *values, content[at:]


def _checksum(content):
    """Compute CRC-32C as such tables mask it."""
    value = 0xFFFFFFFF
    for byte in content:
        value = _TABLE[(value ^ byte) & 255] ^ (value >> 8)
    value ^= 0xFFFFFFFF
    return (((value >> 15) | (value << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def _row(value):
    for _ in range(8):
        value = (value >> 1) ^ (_POLYNOMIAL if value & 1 else 0)
    return value


_TABLE = [_row(value) for value in range(256)]
