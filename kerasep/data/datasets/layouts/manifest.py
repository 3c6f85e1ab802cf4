"""Manifests `manifest.json` and `manifest.csv`, for other layouts; the guide describes them."""

import csv
import io
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from kerasep.data.datasets.layouts.contents import Contents, GroupFiles, Location, TrackFiles
from kerasep.data.service.schemas import Count, Name, Record, parse
from kerasep.errors import InputError
from kerasep.files.text_files import file_name, read_text

_NAMES = ("manifest.json", "manifest.csv")
_Split = Literal["train", "valid", "test"] | None


class _File(Record, kw_only=True):
    path: str
    stream: Count = 0
    channel: Count | None = None


class _Track(Record):
    name: Name
    stems: Annotated[dict[str, str | _File], Meta(min_length=1)]
    mixture: str | _File | None = None
    split: _Split = None
    song: str | None = None


class _Group(Record):
    name: Name
    recordings: Annotated[list[str | _File], Meta(min_length=1)]
    split: _Split = None


class _StemRow(_File):
    track: Name
    stem: Name
    split: _Split = None
    song: str | None = None


class _GroupRow(_File):
    group: Name
    split: _Split = None


def manifest(path):
    """Return the tracks or groups of a manifest, or of one in the folder `path`, or None."""
    if path.is_dir():
        path = next((path / name for name in _NAMES if (path / name).is_file()), None)
    if path is None or not path.is_file() or path.suffix.lower() not in (".json", ".csv"):
        return None
    try:
        contents = _of_json(path) if path.suffix.lower() == ".json" else _of_csv(path)
    except InputError:
        raise
    except (ValueError, csv.Error) as error:
        raise InputError(f"{path} is not a manifest: {error}: correct it") from error
    if contents and not (contents.tracks or contents.groups):
        raise InputError(f"{path} is empty: expected tracks or groups")
    return contents


def _of_json(path):
    content = parse(read_text(path), dict)
    if content.keys() == {"groups"}:
        groups = [
            GroupFiles(group.name, [_location(path, f) for f in group.recordings], group.split)
            for group in msgspec.convert(content["groups"], list[_Group])
        ]
        return Contents("manifest", groups=groups)
    if content.keys() != {"tracks"}:
        raise InputError(f'{path} is not a manifest: expected {{"tracks": [...]}} or "groups"')
    tracks = []
    for track in msgspec.convert(content["tracks"], list[_Track]):
        stems = {stem: _location(path, file) for stem, file in track.stems.items()}
        mixture = None if track.mixture is None else _location(path, track.mixture)
        tracks.append(TrackFiles(track.name, stems, track.split, track.song, mixture))
    return Contents("manifest", tracks)


def _of_csv(path):
    rows = csv.DictReader(io.StringIO(read_text(path), newline=""), strict=True)
    columns = rows.fieldnames or ()
    if {"track", "stem"} <= {*columns}:
        return Contents("manifest", _tracks(path, _parsed(path, rows, _StemRow)))
    if "group" not in columns:
        return None
    groups = {}
    for _, row in _parsed(path, rows, _GroupRow):
        groups.setdefault((row.group, row.split), []).append(_location(path, row))
    groups = [GroupFiles(name, places, split) for (name, split), places in groups.items()]
    return Contents("manifest", groups=groups)


def _parsed(path, rows, kind):
    """Yield the place and the record of each line."""
    for row in rows:
        where = f"{path} line {rows.line_num}"
        if None in row or None in row.values():
            columns = ",".join(rows.fieldnames)
            raise InputError(f"{where}: expected {len(rows.fieldnames)} values, {columns}")
        try:
            filled = {name: value for name, value in row.items() if value}
            yield where, msgspec.convert(filled, kind, strict=False)
        except msgspec.ValidationError as error:
            raise InputError(f"{where}: {error}: correct it") from error


def _tracks(path, rows):
    tracks = {}
    for where, row in rows:
        name, shared = row.track, (row.split, row.song)
        files, first = tracks.setdefault(name, ({}, shared))
        if shared != first:
            raise InputError(f"{where}: track {name!r} has another split or song further up")
        if row.stem in files:
            raise InputError(f"{where}: track {name!r} has two files for {row.stem!r}")
        files[row.stem] = _location(path, row)
    for name, (files, shared) in tracks.items():
        mixture = files.pop("mixture", None)
        if not files:
            raise InputError(f"{path}: track {name!r} has no stem: add its files")
        tracks[name] = TrackFiles(name, files, *shared, mixture)
    return [*tracks.values()]


def _location(path, file):
    file = _File(path=file) if isinstance(file, str) else file
    return Location(path.parent / file_name(file.path), file.stream, file.channel)
