"""What a compressed recording lacks, as far as its format allows to tell."""

import re

import av

from kerasep.data.audio import ogg
from kerasep.data.audio.audio_info import warn_once

# Formats that store how long they are: elsewhere FFmpeg guesses it from the bit rate.
_SAY_HOW_LONG = ("mov", "matroska", "ogg", "asf", "wav", "w64", "caf", "tta", "wv", "ape", "flv")
_SHORT = 0.1  # seconds that headers may be wrong by
_TAIL = 1 << 17  # an Ogg page is half as long


def warn_of_what_is_missing(path, file, stream, seconds, holes, lost):
    """Log a warning for a recording that is cut short, or has holes.

    Args:
        path: The file.
        file: The same, open in PyAV.
        stream: Its audio stream.
        seconds: How much was decoded.
        holes: The lengths of the holes in its time stamps, in seconds.
        lost: How many packets could not be decoded.
    """
    if holes:
        warn_once(
            f"{path} lacks {float(sum(holes)):.2f} s in {len(holes)} places: silence stands in"
        )
    if lost:
        warn_once(f"{path}: {lost} damaged packets are left out: get a complete copy")
    page = _last_page(path, file)
    declared = _declared(file, stream, page)
    missing = 0 if declared is None else declared - seconds
    if missing > _SHORT:
        warn_once(
            f"{path}: its header says {declared:.2f} s, {seconds:.2f} s can be decoded, "
            f"{missing:.2f} s are missing: get a complete copy"
        )
    elif page is not None and not (page.is_whole and page.flags & ogg.ENDS):
        warn_once(f"{path} does not end with its last page: it may be cut short")


def _declared(file, stream, page):
    """Return how many seconds the file itself says there are, or None if it does not."""
    if not file.format.name.startswith(_SAY_HOW_LONG):
        return None
    if page is not None:
        return float((page.granule - (stream.start_time or 0)) * stream.time_base)
    if stream.duration:
        return float(stream.duration * stream.time_base)
    written = stream.metadata.get("DURATION", "")  # by most writers of Matroska
    parts = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d*)?)\0*", written)
    if parts:
        return 3600 * int(parts[1]) + 60 * int(parts[2]) + float(parts[3])
    alone = len(file.streams) == 1 and file.duration
    return file.duration / av.time_base if alone else None


def _last_page(path, file):
    """Return the last page of an Ogg file of one stream, None for others."""
    if file.format.name != "ogg" or len(file.streams) != 1:
        return None
    with open(path, "rb") as raw:
        raw.seek(max(0, raw.seek(0, 2) - _TAIL))
        tail = raw.read()
    return next(ogg.pages(tail[max(0, tail.rfind(b"OggS\0")) :]), None)
