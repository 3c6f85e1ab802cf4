"""What JSON files of a prepared folder may say, and whether it agrees with itself."""

import base64
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta

from kerasep.data.prepared import shards
from kerasep.data.service.schemas import (
    Channels,
    Count,
    Name,
    Names,
    Positive,
    Rate,
    Record,
    Transform,
    parse,
)

Text = Annotated[str, Meta(max_length=1 << 16)]
# Numbers of 16 bits times this, and their squares' sums, are finite in float32.
Scale = Annotated[float, Meta(gt=0, le=1e6)]
Sum = Annotated[float, Meta(ge=0, le=1e300)]


class Settings(Record):
    """Settings of a plan."""

    sources: Names
    sample_rate: Rate
    channels: Channels
    format: Literal["int16", "float16", "spectrogram"]
    stft: Transform | None
    rest: bool
    record_rows: Positive
    row_shape: list[Positive]


class Sums(Record):
    """What `Statistics.to_json` returns."""

    frames: Positive
    mean: str
    squares: str
    channel_squares: str


class Segment(Record):
    """A part of a track in a shard."""

    track: Text
    start: Sum
    rows: Positive
    offset: Count
    scales: list[Scale]


class Shard(Record):
    """A shard that is written."""

    file: Name
    bytes: Count
    sha256: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    segments: list[Segment]


class Skip(Record):
    """A track that could not be read."""

    track: Text
    reason: Text


class Part(Record):
    """The shards to train on, or to validate on."""

    shards: list[Shard]
    statistics: Sums | None


class Index(Record):
    """The index of a folder."""

    layout: Literal[1]  # shards.LAYOUT, written out for type checkers
    kerasep: str
    settings: Settings
    train: Part
    valid: Part
    snr_db: Annotated[float, Meta(ge=-1000, le=1000)] | None
    skipped: list[Skip]


class Sidecar(Shard):
    """The file beside a shard."""

    skipped: list[Skip]
    signal: Sum
    error: Sum
    statistics: Sums | None


def parse_index(text):
    """Parse an index.

    Args:
        text: bytes.

    Returns:
        A dict: see `kerasep.data.prepared.shards.finish`.

    Raises:
        ValueError: It is not one that `kerasep prepare` writes.
    """
    index = parse(text, Index)
    settings = msgspec.to_builtins(index.settings)
    if len(set(settings["sources"])) < len(settings["sources"]):
        raise ValueError("it has a source twice")
    wanted = shards.with_rows({**settings, "record_rows": None, "row_shape": None})
    if settings != wanted:
        raise ValueError(
            f"record_rows and row_shape do not follow from format {settings['format']}"
        )
    entries = [*index.train.shards, *index.valid.shards]
    for number, entry in enumerate(entries):
        if entry.file != shards.shard_name(number, len(entries)):
            raise ValueError(f"shard {number} of {len(entries)} is called {entry.file[:100]!r}")
        _check_segments(entry, settings)
    for part in (index.train, index.valid):
        _check_sums(part.statistics, settings)
    return msgspec.to_builtins(index)


def parse_sidecar(text, settings):
    """Parse the file beside a shard.

    Args:
        text: bytes.
        settings: of the plan.

    Returns:
        A dict: see `kerasep.data.prepared.shards.write_shard`.

    Raises:
        ValueError: It is not one that `kerasep prepare` writes.
    """
    entry = parse(text, Sidecar)
    _check_segments(entry, settings)
    _check_sums(entry.statistics, settings)
    return msgspec.to_builtins(entry)


def _check_segments(entry, settings):
    groups, longest = shards.group_count(settings), shards.longest_segment(settings)
    offset = 0
    for segment in entry.segments:
        if segment.rows > longest:
            raise ValueError(f"{entry.file} has {segment.rows} rows of a track, at most {longest}")
        if segment.offset != offset:
            raise ValueError(
                f"{entry.file} has a track at byte {segment.offset}, expected it at {offset}"
            )
        if len(segment.scales) != groups:
            raise ValueError(f"{entry.file} has {len(segment.scales)} scales for {groups} stems")
        offset += shards.segment_bytes(settings, segment.rows)
    if offset != entry.bytes:
        raise ValueError(f"{entry.file} has {entry.bytes} bytes, its tracks have {offset}")


def _check_sums(sums, settings):
    if sums is None:
        return
    if settings["stft"] is None:
        raise ValueError("it has statistics, but no transform")
    bins = settings["stft"]["n_fft"] // 2 + 1
    for name in ("mean", "squares", "channel_squares"):
        try:
            values = np.frombuffer(base64.b64decode(getattr(sums, name), validate=True), "<f8")
        except ValueError as error:
            raise ValueError(f"statistics {name}: {error}") from error
        if len(values) != bins or not ((values >= 0) & (values <= 1e30)).all():
            raise ValueError(f"statistics {name}: expected {bins} numbers from 0 to 1e30")
