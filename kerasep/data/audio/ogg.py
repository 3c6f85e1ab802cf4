"""The pages of an Ogg file."""

import struct
import zlib
from typing import NamedTuple

_HEAD = struct.Struct("<4sxBqIIIB")
_BEGINS, ENDS = 2, 4  # flags of a page
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class Page(NamedTuple):
    """A page: where the samples end that it completes, and whether its checksum holds."""

    flags: int
    granule: int
    serial: int
    number: int
    is_whole: bool
    stop: int


def pages(data):
    """Yield the pages of an Ogg file's bytes, as long as one follows the other."""
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
    """Return the samples of a file that is one whole Vorbis stream, None for all others.

    FFmpeg gives what fills the last block up, too, unless it has encoded the file itself.
    """
    with open(path, "rb") as file:
        if file.read(35)[28:] != b"\x01vorbis":
            return None
        file.seek(0)
        data = file.read()
    walked = list(pages(data))
    whole = (
        walked[-1].stop == len(data)
        and walked[-1].flags & ENDS
        and [page.number for page in walked] == list(range(len(walked)))
        and all(page.is_whole and page.serial == walked[0].serial for page in walked)
        and not any(page.flags & _BEGINS for page in walked[1:])
    )
    return walked[-1].granule if whole else None


def _checksum(page):
    """Return Ogg's CRC: that of zlib with all bits in the other order, from and to zero."""
    mirrored = zlib.crc32(page.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{mirrored:032b}"[::-1], 2)
