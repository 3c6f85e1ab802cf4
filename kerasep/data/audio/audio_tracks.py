"""The audio tracks of a file: films, concerts and stem files have several."""

import os

from kerasep.data.audio.audio_info import warn_once
from kerasep.data.audio.decoders import is_plain, open_audio
from kerasep.errors import InputError


def tracks(path: str | os.PathLike) -> list[str]:
    """Return one line per audio track: codec, rate, channels, language and title."""
    with open_audio(path) as audio:
        rate, _, channels = audio.info
    if is_plain(path):
        return [f"{rate} Hz, {channels} channel{'s' if channels > 1 else ''}"]
    from kerasep.data.audio.av_stream import describe_tracks

    return describe_tracks(path)


def stream_of(path: str | os.PathLike, track: int | None = None) -> int:
    """Return the `stream` of track number `track`, from 1; by default the first, with a warning."""
    lines = tracks(path)
    listed = "; ".join(f"{number}: {line}" for number, line in enumerate(lines, start=1))
    if track is None:
        if len(lines) > 1:
            warn_once(f"{path} has {len(lines)} audio tracks, track 1 is taken: {listed}")
        return 0
    if not 1 <= track <= len(lines):
        raise InputError(f"received track {track} for {path}, expected one of its tracks: {listed}")
    return track - 1
