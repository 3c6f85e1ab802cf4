"""The plan of a preparation: settings, tracks, and the segments of every shard."""

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from kerasep import __version__
from kerasep.data.datasets.stems import check_channels
from kerasep.data.datasets.tracks import Track, split
from kerasep.data.prepared.layout import (
    FORMATS,
    LAYOUT,
    rows,
    segment_bytes,
    segment_cuts,
    shard_name,
    transform_of,
    with_rows,
)
from kerasep.errors import InputError


class Segment(NamedTuple):
    """A part of a track: number in the plan, first sample and samples, at the model's rate."""

    track: int
    start: int
    samples: int


@dataclass(frozen=True)
class Plan:
    """The settings for reading the shards, the tracks, and the segments of each shard.

    The shards from number `valid` on hold the validation tracks.
    """

    settings: dict
    tracks: tuple[Track, ...]
    shards: tuple[tuple[Segment, ...], ...]
    valid: int

    @property
    def bytes(self):
        """Return the size of all shards in bytes."""
        return sum(map(self.shard_bytes, range(len(self.shards))))

    def shard_bytes(self, index):
        """Compute the size of a shard in bytes."""
        return sum(
            segment_bytes(self.settings, rows(self.settings, segment.samples))
            for segment in self.shards[index]
        )

    def name(self, index):
        """Return the name of a shard's file."""
        return shard_name(index, len(self.shards))

    def described(self):
        """Describe the plan in JSON: calls that work in one folder must agree on it."""
        stems = [
            {name: [Path(s.path).name, s.stream, *s.info] for name, s in sorted(t.stems.items())}
            for t in self.tracks
        ]
        return {
            **head(self.settings),
            "tracks": [
                {"name": track.name, "stems": stems[number]}
                for number, track in enumerate(self.tracks)
            ],
            "shards": [[list(segment) for segment in shard] for shard in self.shards],
            "valid": self.valid,
        }


def head(settings):
    """Return the first keys of an index or a plan."""
    return {"layout": LAYOUT, "kerasep": __version__, "settings": settings}


def plan(
    tracks: Iterable[Track],
    model: Any,
    valid: list[Track] | None = None,
    *,
    format: str = "int16",
    shard_bytes: int = 256 << 20,
) -> Plan:
    """Plan the shards of tracks without writing them.

    Args:
        tracks: List of `Track` to train on.
        model: Anything with `sources`, `sample_rate` and `channels`, and for spectrograms and
            statistics `stft`, a dict of `n_fft`, `hop` and `window`.
        valid: List of `Track` to validate on. Defaults to the validation tracks of the data set,
            or every tenth song: see `kerasep.data.tracks.split`.
        format: "int16" or "float16" for waveforms, "spectrogram" for the model's transform in
            float16. Defaults to "int16".
        shard_bytes: Approximate size of a shard. Defaults to 256 MiB.

    Returns:
        A `Plan`.

    Raises:
        InputError: There is no track, a track lacks a source or cannot have the model's channels,
            two tracks share a name, or the format is unknown or needs a transform.

    Example:
    ```python
    from types import SimpleNamespace
    from kerasep.data import find_tracks, shards, write_songs

    write_songs("songs", 3, seconds=2.0)
    model = SimpleNamespace(sources=("vocals",), sample_rate=16000, channels=1, stft=None)
    plan = shards.plan(find_tracks("songs"), model)
    assert len(plan.shards) == 2 and plan.valid == 1  # one for training, one for validation
    ```
    """
    stft = transform_of(model)
    if format not in FORMATS:
        raise InputError(f"received format {format!r}, expected one of {', '.join(FORMATS)}")
    if format == "spectrogram" and stft is None:
        raise InputError(
            "received format 'spectrogram' for a model on waveforms, expected 'int16' or 'float16'"
        )
    tracks, valid = split(list(tracks), valid)
    if not tracks:
        raise InputError("received an empty list of tracks: expected one or more")
    everything = (*tracks, *valid)
    groups = [track.groups(model.sources) for track in everything]
    for stem in (stem for track in groups for group in track for stem in group):
        check_channels(stem, model.channels)
    names = [track.name for track in everything]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            f"received several tracks called {', '.join(twice)}, expected different names: a track "
            "must not be trained and validated on"
        )
    settings = {
        "sources": list(model.sources),
        "sample_rate": model.sample_rate,
        "channels": model.channels,
        "format": format,
        "stft": stft,
        "rest": any(track[-1] for track in groups),
    }
    settings = with_rows(settings)
    training = _filled(settings, tracks, 0, shard_bytes)
    held_out = _filled(settings, valid, len(tracks), shard_bytes)
    return Plan(settings, everything, (*training, *held_out), len(training))


def _filled(settings, tracks, first, shard_bytes):
    """Cut tracks into segments, and fill shards with them in order."""
    shards, size = [], math.inf
    for number, track in enumerate(tracks, first):
        samples = round(track.duration * settings["sample_rate"])
        for start, stop in itertools.pairwise(segment_cuts(settings, samples)):
            if size >= shard_bytes:
                shards.append([])
                size = 0
            shards[-1].append(Segment(number, start, stop - start))
            size += segment_bytes(settings, rows(settings, stop - start))
    return [tuple(shard) for shard in shards]
