"""The contents of a data set: where its recordings are, before any is opened."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple


class Location(NamedTuple):
    """An audio stream of a file, and one of its channels or None for all."""

    path: Path
    stream: int = 0
    channel: int | None = None


@dataclass(frozen=True)
class TrackFiles:
    """The files of one track; `mixture` is the data set's own file of it."""

    name: str
    stems: dict[str, Location]
    split: str | None = None  # "train", "valid", "test", or None without splits
    song: str | None = None  # tracks of one song belong to one split
    mixture: Location | None = None


@dataclass(frozen=True)
class GroupFiles:
    """The recordings of one speaker or instrument."""

    name: str
    recordings: list[Location]
    split: str | None = None


@dataclass(frozen=True)
class Contents:
    """A data set: the name of its layout, its tracks or groups, and a line per skipped file."""

    layout: str
    tracks: list[TrackFiles] = field(default_factory=list)
    groups: list[GroupFiles] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
