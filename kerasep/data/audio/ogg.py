"""The pages of an Ogg file."""

import struct
import zlib
from typing import NamedTuple

_HEAD = struct.Struct("<4sxBqIIIB")
_BEGINS, ENDS = 2, 4  # flags of a page
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class Page(NamedTuple):
    """A page of an Ogg file."""

    flags: int
    granule: int  # samples up to the end of the page
    serial: int
    number: int
    is_whole: bool  # whether its checksum is right
    stop: int


def pages(data):
    """Yield the successive pages in the bytes of an Ogg file."""
    start = 0
    while data[start : start + 5] == b"OggS\0" and start + _HEAD.size <= len(data):
        _, flags, granule, serial, number, checksum, count = _HEAD.unpack_from(data, start)
        body = start + _HEAD.size + count
        stop = body + sum(data[start + _HEAD.size : body])
        page = data[start : start + 22] + bytes(4) + data[start + 26 : stop]
        is_whole = stop <= len(data) and _checksum(page) == checksum
        yield Page(flags, granule, serial, number, is_whole, stop)
        start = stop


def vorbis_length(path):
    """Return the samples of a file that is one complete Vorbis stream, or None for other files.

    FFmpeg decodes the padding of the last block, too, unless it has encoded the file itself.
    """
    with open(path, "rb") as file:
        if file.read(35)[28:] != b"\x01vorbis":
            return None
        file.seek(0)
        data = file.read()
    first, *rest = walked = list(pages(data))
    last = walked[-1]
    is_complete = (
        last.stop == len(data)
        and last.flags & ENDS
        and [page.number for page in walked] == list(range(len(walked)))
        and all(page.is_whole and page.serial == first.serial for page in walked)
        and not any(page.flags & _BEGINS for page in rest)
    )
    return last.granule if is_complete else None


def _checksum(page):
    """Return Ogg's CRC: that of zlib with all bits reversed, without its inversions."""
    mirrored = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)
