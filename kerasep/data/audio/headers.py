"""The amount of audio that the header of an uncompressed file declares.

libsndfile silently shortens most files that are cut off.
"""

import os
import struct
from typing import NamedTuple

# Larger sizes mean "unknown": sox and ffmpeg write them into pipes.
_STREAMED_SIZE = 0x7FFFF000
_W64_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")  # ends the identifier of every chunk
_PLAIN_WAV = (1, 3, 6, 7)  # PCM, float, A-law, mu-law
_EXTENSIBLE = 0xFFFE
_CHUNKS = 4096  # more than any recorder writes


class SampleData(NamedTuple):
    """The bytes of audio in a file."""

    declared: int | None  # by the header, None if it does not say
    present: int
    plain: bool = True  # False for a compressed codec in a WAV file


def sample_data(path):
    """Return the `SampleData` of a WAV, RF64, W64, AIFF, AU, CAF or FLAC file, else None."""
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(16)
        if head[:4] == b"fLaC":
            return SampleData(None, size)
        if head[:4] in (b".snd", b"dns."):
            return _au(head, size)
        if head[:4] == b"caff":
            return _data_chunk(file, size, b"data", 8, ">4sq", 1)
        if head[:4] in (b"RIFF", b"RIFX", b"RF64") and head[8:12] == b"WAVE":
            return _wav(file, head[:4], size)
        if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
            return _data_chunk(file, size, b"SSND", 12, ">4sI", 2)
        if head[:4] == b"riff" and head[4:] == bytes.fromhex("2e91cf11a5d628db04c10000"):
            return _data_chunk(file, size, b"data" + _W64_TAIL, 40, "<16sQ", 8, counted=24)
    return None


def _chunks(file, size, start, form, padding, counted=0):
    """Yield (identifier, size, position) of chunks; `counted` bytes of the head count as size."""
    position, head = start, struct.calcsize(form)
    for _ in range(_CHUNKS):
        if position + head > size:
            return
        file.seek(position)
        name, declared = struct.unpack(form, file.read(head))
        declared -= counted
        position += head
        yield name, declared, position
        position += max(declared, 0)
        position += -position % padding


def _wav(file, kind, size):
    order = ">" if kind == b"RIFX" else "<"
    long, plain = None, True
    for name, declared, position in _chunks(file, size, 12, f"{order}4sI", 2):
        if name == b"ds64":
            file.seek(position)
            fields = file.read(16)
            long = struct.unpack("<8xQ", fields)[0] if len(fields) == 16 else None
        elif name == b"fmt ":
            file.seek(position)
            plain = _is_plain(file.read(26), order)
        elif name == b"data":
            if kind == b"RF64" and declared == 0xFFFFFFFF and long is not None:
                declared = long
            elif declared >= _STREAMED_SIZE and declared > size - position:
                declared = None
            return SampleData(declared, size - position, plain)
    return SampleData(None, 0, plain)


def _is_plain(fields, order):
    if len(fields) < 2:
        return True  # libsndfile reports the error
    tag = struct.unpack(f"{order}H", fields[:2])[0]
    if tag == _EXTENSIBLE and len(fields) == 26:
        tag = struct.unpack(f"{order}H", fields[24:26])[0]
    return tag in _PLAIN_WAV


def _data_chunk(file, size, name, start, form, padding, counted=0):
    for chunk, declared, position in _chunks(file, size, start, form, padding, counted):
        if chunk == name:
            present = size - position
            streamed = form == ">4sI" and declared >= _STREAMED_SIZE and declared > present
            return SampleData(None if streamed or declared < 0 else declared, present)
    return SampleData(None, 0)


def _au(head, size):
    offset, declared = struct.unpack(f"{'>' if head[:4] == b'.snd' else '<'}4xII4x", head)
    return SampleData(None if declared == 0xFFFFFFFF else declared, size - offset)
