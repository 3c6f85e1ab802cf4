"""Recordings whose sources are known, as long as a file takes them."""

import pathlib

import numpy as np

from kerasep import data
from kerasep.data.synthetic.songs import STEMS
from kerasep.errors import InputError


def synthetic_clips(separator, samples):
    """Make the built-in clip: voices and instruments that need no recording.

    A source that is named as a stem of `kerasep.data.song` is that stem, any other one is another
    song's singer.

    Args:
        separator: gives the names of the sources, sample rate and channels.
        samples: length.

    Returns:
        List of one pair: mixture `(samples, channels)`, sources `(samples, channels, sources)`.
    """
    names, rest = _names(separator)

    def song(seed):
        seconds = samples / separator.sample_rate
        return data.song(seed, seconds, separator.sample_rate, separator.channels)

    first = song(0)
    stems = [
        first[name] if name in STEMS else song(1 + index)["vocals"]
        for index, name in enumerate(names)
    ]
    others = [first[name] for name in STEMS if name not in names] if rest else []
    mixture = sum(stems) + sum(others)
    return [(mixture, _with_rest(mixture, np.stack(stems, axis=-1), rest))]


def track_clips(separator, tracks, samples):
    """Cut the middle out of each track.

    Args:
        separator: gives the names of the sources, sample rate and channels.
        tracks: folder of tracks, or list of `kerasep.data.Track`.
        samples: length; shorter tracks are followed by silence.

    Returns:
        List of pairs: mixture `(samples, channels)`, sources `(samples, channels, sources)`.

    Raises:
        InputError: for tracks that lack a source, cannot be read, or are none.
    """
    names, rest = _names(separator)
    if isinstance(tracks, str | pathlib.Path):
        tracks = data.find_tracks(tracks, names)
        tracks = [track for track in tracks if track.split == "test"] or tracks
    if not tracks:
        raise InputError("received no tracks to judge by, expected at least one")
    clips = []
    seconds = samples / separator.sample_rate
    for track in tracks:
        start = max(0.0, (track.duration - seconds) / 2)
        mixture, stems = track.read(
            names, separator.sample_rate, separator.channels, start, seconds
        )
        clips.append((mixture, _with_rest(mixture, stems, rest)))
    return clips


def _names(separator):
    """Names of the sources that a model separates, and whether their rest is one more."""
    rest = getattr(separator, "residual", None)
    return [name for name in separator.sources if name != rest], rest


def _with_rest(mixture, stems, rest):
    if rest:
        stems = np.concatenate([stems, (mixture - stems.sum(axis=-1))[..., None]], axis=-1)
    return stems.astype("float32")
