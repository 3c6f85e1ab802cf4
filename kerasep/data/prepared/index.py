"""The index of a prepared folder: found, read, and checked to agree with itself."""

import base64
import os
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta

from kerasep.data.prepared import layout
from kerasep.data.prepared.magnitudes import Statistics
from kerasep.data.service import schemas
from kerasep.data.service.schemas import Count, Name, Positive, Record, parse
from kerasep.errors import InputError

Text = Annotated[str, Meta(max_length=1 << 16)]
# Numbers of 16 bits times this, and their squares' sums, are finite in float32.
Scale = Annotated[float, Meta(gt=0, le=1e6)]
Sum = Annotated[float, Meta(ge=0, le=1e300)]


class Settings(Record):
    """Settings of a plan."""

    sources: schemas.Names
    sample_rate: schemas.Rate
    channels: schemas.Channels
    format: Literal["int16", "float16", "spectrogram"]
    stft: schemas.Transform | None
    rest: bool
    record_rows: Positive
    row_shape: list[Positive]


class Sums(Record):
    """The JSON of `Statistics`."""

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
    """The index of a prepared folder."""

    layout: Literal[1]  # layout.LAYOUT, written out for type checkers
    kerasep: str
    settings: Settings
    train: Part
    valid: Part
    snr_db: Annotated[float, Meta(ge=-1000, le=1000)] | None
    skipped: list[Skip]


class Sidecar(Shard):
    """The JSON file beside a shard."""

    skipped: list[Skip]
    signal: Sum
    error: Sum
    statistics: Sums | None


def is_prepared(data: Any) -> bool:
    """Return whether data are a prepared folder.

    Args:
        data: As for `waveforms` and `spectrograms`.

    Returns:
        True for a folder that `prepare` wrote.

    Raises:
        InputError: The preparation was not finished.
    """
    if not isinstance(data, str | Path):
        return False
    if (Path(data) / layout.INDEX).is_file():
        return True
    if (Path(data) / layout.PLAN).is_file():
        raise InputError(f"{data} is not prepared to its end: run the same kerasep prepare again")
    return False


def holds_spectrograms(data):
    """Return whether data are a prepared folder of spectrograms."""
    return is_prepared(data) and read_index(data)["settings"]["format"] == "spectrogram"


def holds_validation(folder):
    """Return whether a prepared folder has tracks to validate on."""
    return any(shard["segments"] for shard in read_index(folder)["valid"]["shards"])


def read_index(folder):
    """Read and check the index of a prepared folder, a dict."""
    path = Path(folder) / layout.INDEX
    try:
        text = path.read_bytes()
        index = parse(text, dict)
        version = index.get("layout", layout.LAYOUT)
        if type(version) is int and version != layout.LAYOUT:
            raise InputError(
                f"{path} has layout {version}, expected {layout.LAYOUT}: it was written by kerasep "
                f"{str(index.get('kerasep'))[:50]!r}, prepare the tracks again"
            )
        return _parse_index(text)
    except InputError:
        raise
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"{path} is damaged ({reason}): run the same kerasep prepare again"
        ) from error


def statistics(folder: str | os.PathLike, model: Any) -> list | None:
    """Return the stored statistics of the training mixtures, which spares a pass over the tracks.

    Args:
        folder: A prepared folder.
        model: A model with `stft`.

    Returns:
        A list of one batch (magnitude, None) for `model.adapt`, with the mean and deviation in
        each bin of all training mixtures as recorded. None if the folder was prepared with another
        transform or none.
    """
    index = read_index(folder)
    stored = index["train"]["statistics"]
    if not stored or index["settings"]["stft"] != layout.transform_of(model):
        return None
    return [(Statistics.from_json(stored).stand_in(model.channels), None)]


def _parse_index(text):
    """Parse an index, or raise ValueError for one that `kerasep prepare` does not write."""
    index = parse(text, Index)
    settings = msgspec.to_builtins(index.settings)
    if len(set(settings["sources"])) < len(settings["sources"]):
        raise ValueError("it has a source twice")
    if settings != layout.with_rows(settings):
        raise ValueError(
            f"record_rows and row_shape do not follow from format {settings['format']}"
        )
    entries = [*index.train.shards, *index.valid.shards]
    for number, entry in enumerate(entries):
        if entry.file != layout.shard_name(number, len(entries)):
            raise ValueError(f"shard {number} of {len(entries)} is called {entry.file[:100]!r}")
        _check_segments(entry, settings)
    for part in (index.train, index.valid):
        _check_sums(part.statistics, settings)
    return msgspec.to_builtins(index)


def parse_sidecar(text, settings):
    """Parse the JSON file beside a shard, or raise ValueError if it does not fit its plan."""
    entry = parse(text, Sidecar)
    _check_segments(entry, settings)
    _check_sums(entry.statistics, settings)
    return msgspec.to_builtins(entry)


def _check_segments(entry, settings):
    groups, longest = layout.group_count(settings), layout.longest_segment(settings)
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
        offset += layout.segment_bytes(settings, segment.rows)
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
