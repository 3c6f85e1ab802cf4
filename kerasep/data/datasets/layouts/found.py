"""What a layout's reader gives: where the recordings of a data set are, before any is opened."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple


class Location(NamedTuple):
    """A file, the audio stream in it, and one of its channels or None for all."""

    path: Path
    stream: int = 0
    channel: int | None = None


@dataclass(frozen=True)
class TrackFiles:
    """The files of one track.

    `split` is "train", "valid", "test" or None where the data set has no splits of its own; tracks
    of one `song` belong into the same split; `mixture` is the set's own file of the mixture.
    """

    name: str
    stems: dict[str, Location]
    split: str | None = None
    song: str | None = None
    mixture: Location | None = None


@dataclass(frozen=True)
class GroupFiles:
    """The recordings of one speaker or instrument."""

    name: str
    recordings: list[Location]
    split: str | None = None


@dataclass(frozen=True)
class Found:
    """A data set: the layout's name, its tracks or its groups, and a line for all left aside."""

    layout: str
    tracks: list[TrackFiles] = field(default_factory=list)
    groups: list[GroupFiles] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
