"""Warnings for compressed recordings that are cut short, damaged or have holes."""

import re

import av

from kerasep.data.audio import ogg
from kerasep.data.audio.audio_info import warn_once

# Formats that store their duration: for others FFmpeg estimates it from the bit rate.
_STORE_DURATION = ("mov", "matroska", "ogg", "asf", "wav", "w64", "caf", "tta", "wv", "ape", "flv")
_TOLERANCE = 0.1  # seconds by which headers may be wrong
_TAIL = 1 << 17  # an Ogg page is half as long


def warn_if_incomplete(path, file, stream, seconds, holes, lost):
    """Log what a decoded file lacks, by its duration, holes (in seconds) and damaged packets."""
    if holes:
        warn_once(f"{path} lacks {float(sum(holes)):.2f} s in {len(holes)} places: read as silence")
    if lost:
        warn_once(f"{path}: {lost} damaged packets are left out: get a complete copy")
    page = _last_page(path, file)
    declared = _declared(file, stream, page)
    missing = 0 if declared is None else declared - seconds
    if missing > _TOLERANCE:
        warn_once(
            f"{path}: its header says {declared:.2f} s, {seconds:.2f} s can be decoded, "
            f"{missing:.2f} s are missing: get a complete copy"
        )
    elif page is not None and not (page.is_whole and page.flags & ogg.ENDS):
        warn_once(f"{path} does not end with its last page: it may be cut short")


def _declared(file, stream, page):
    """Return the duration in seconds that the file itself declares, or None."""
    if not file.format.name.startswith(_STORE_DURATION):
        return None
    if page is not None:
        return float((page.granule - (stream.start_time or 0)) * stream.time_base)
    if stream.duration:
        return float(stream.duration * stream.time_base)
    written = stream.metadata.get("DURATION", "")  # written by most Matroska muxers
    parts = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d*)?)\0*", written)
    if parts:
        return 3600 * int(parts[1]) + 60 * int(parts[2]) + float(parts[3])
    alone = len(file.streams) == 1 and file.duration
    return file.duration / av.time_base if alone else None


def _last_page(path, file):
    """Return the last page of an Ogg file of one stream, or None for other files."""
    if file.format.name != "ogg" or len(file.streams) != 1:
        return None
    with open(path, "rb") as raw:
        raw.seek(max(0, raw.seek(0, 2) - _TAIL))
        tail = raw.read()
    return next(ogg.pages(tail[max(0, tail.rfind(b"OggS\0")) :]), None)
