"""Tracks in one file of several streams, `*.stem.mp4`."""

from kerasep.data.datasets.layouts.found import Location, TrackFiles
from kerasep.data.datasets.layouts.songs import song_of

_SUFFIX = ".stem.mp4"
_STREAMS = {"drums": 1, "bass": 2, "other": 3, "vocals": 4}


def is_stem_mp4(path):
    """Tell whether a path is such a file."""
    return path.name.lower().endswith(_SUFFIX) and path.is_file()


def stem_mp4_track(path, split):
    """Name the streams of a file: stream 0 is the mixture, then drums, bass, other and vocals."""
    name = path.name[: -len(_SUFFIX)]
    stems = {stem: Location(path, stream) for stem, stream in _STREAMS.items()}
    return TrackFiles(name, stems, split, song_of(name), Location(path, 0))
