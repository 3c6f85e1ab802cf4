"""Manifests: a list of a data set's files, `manifest.json` or `manifest.csv`, for other layouts.

The guide on data folders describes both formats.
"""

import csv
import io
import json

from kerasep.data.datasets.layouts.contents import Contents, GroupFiles, Location, TrackFiles
from kerasep.errors import InputError
from kerasep.files.text_files import file_name, read_text

_NAMES = ("manifest.json", "manifest.csv")
_SPLITS = ("train", "valid", "test")
# Required and optional fields of the entries in JSON, and of the rows in CSV.
_FIELDS = {
    "tracks": ({"name", "stems"}, {"mixture", "split", "song"}),
    "groups": ({"name", "recordings"}, {"split"}),
}
_COLUMNS = {
    "tracks": ({"track", "stem", "path"}, {"stream", "channel", "split", "song"}),
    "groups": ({"group", "path"}, {"stream", "channel", "split"}),
}


def manifest(path):
    """Return the tracks or groups of a manifest, or of one in the folder `path`, or None."""
    if path.is_dir():
        path = next((path / name for name in _NAMES if (path / name).is_file()), None)
    if path is None or not path.is_file() or path.suffix.lower() not in (".json", ".csv"):
        return None
    try:
        kind, entries = _read_json(path) if path.suffix.lower() == ".json" else _read_csv(path)
    except (UnicodeDecodeError, json.JSONDecodeError, csv.Error) as error:
        raise InputError(f"{path} is not a manifest: {error}") from error
    if kind is None:
        return None
    if not entries:
        raise InputError(f"{path} is empty: expected tracks or groups")
    if kind == "tracks":
        return Contents("manifest", tracks=[_track(path, *entry) for entry in entries])
    return Contents("manifest", groups=[_group(path, *entry) for entry in entries])


def _read_json(path):
    """Return "tracks" or "groups", and a list of (where, entry)."""
    content = json.loads(read_text(path))
    is_single = isinstance(content, dict) and len(content) == 1
    kind, entries = content.popitem() if is_single else (None, None)
    if kind not in _FIELDS or not isinstance(entries, list):
        raise InputError(f'{path} is not a manifest: expected {{"tracks": [...]}} or "groups"')
    listed = [(f"{path}, {kind}[{number}]", entry) for number, entry in enumerate(entries)]
    for where, entry in listed:
        _check_fields(where, entry, *_FIELDS[kind])
    return kind, listed


def _read_csv(path):
    """Return as `_read_json`, or Nones for a table that is not a manifest."""
    rows = csv.DictReader(io.StringIO(read_text(path), newline=""), strict=True)
    columns = set(rows.fieldnames or ())
    if not columns >= {"track", "stem"} and "group" not in columns:
        return None, None
    kind, add = (
        ("tracks", _add_stem) if columns >= {"track", "stem"} else ("groups", _add_recording)
    )
    _check_fields(f"{path} line 1", dict.fromkeys(columns), *_COLUMNS[kind])
    entries = {}
    for row in rows:
        where = f"{path} line {rows.line_num}"
        if None in row or None in row.values():
            raise InputError(f"{where}: expected {len(columns)} values, {','.join(columns)}")
        row = {key: value for key, value in row.items() if value}
        _check_fields(where, row, *_COLUMNS[kind])
        add(where, entries, row)
    return kind, list(entries.values())


def _add_stem(where, entries, row):
    shared = _pick(row, "split", "song")
    new = (where, {"name": row["track"], "stems": {}, **shared})
    _, entry = entries.setdefault(row["track"], new)
    if shared != _pick(entry, "split", "song"):
        raise InputError(f"{where}: track {row['track']!r} has another split or song further up")
    files = entry if row["stem"] == "mixture" else entry["stems"]
    if row["stem"] in files:
        raise InputError(f"{where}: track {row['track']!r} has two files for {row['stem']!r}")
    files[row["stem"]] = _pick(row, "path", "stream", "channel")


def _add_recording(where, entries, row):
    new = (where, {"name": row["group"], "recordings": [], **_pick(row, "split")})
    _, entry = entries.setdefault((row["group"], row.get("split")), new)
    entry["recordings"].append(_pick(row, "path", "stream", "channel"))


def _pick(row, *keys):
    return {key: row[key] for key in keys if key in row}


def _check_fields(where, entry, required, optional):
    if not isinstance(entry, dict):
        raise InputError(f"{where}: received {entry!r}, expected {', '.join(sorted(required))}")
    missing, unknown = required - entry.keys(), entry.keys() - required - optional
    if missing:
        raise InputError(f"{where}: {', '.join(sorted(missing))} is missing")
    if unknown:
        raise InputError(
            f"{where}: received {', '.join(sorted(map(str, unknown)))}, expected "
            f"{', '.join(sorted(required))} and any of {', '.join(sorted(optional))}"
        )


def _track(path, where, entry):
    stems = entry["stems"]
    if not isinstance(stems, dict) or not stems:
        raise InputError(f"{where}: received stems {stems!r}, expected one file per name")
    name, split = _name_and_split(where, entry)
    mixture, song = entry.get("mixture"), entry.get("song")
    if song is not None and not isinstance(song, str):
        raise InputError(f"{where}: received song {song!r}, expected a name")
    stems = {stem: _location(path, where, file) for stem, file in stems.items()}
    mixture = None if mixture is None else _location(path, where, mixture)
    return TrackFiles(name, stems, split, song, mixture)


def _group(path, where, entry):
    recordings = entry["recordings"]
    if not isinstance(recordings, list) or not recordings:
        raise InputError(f"{where}: received recordings {recordings!r}, expected a list of files")
    name, split = _name_and_split(where, entry)
    return GroupFiles(name, [_location(path, where, file) for file in recordings], split)


def _name_and_split(where, entry):
    name, split = entry["name"], entry.get("split")
    if not isinstance(name, str) or not name:
        raise InputError(f"{where}: received name {name!r}, expected text")
    if split not in (None, *_SPLITS):
        raise InputError(f"{where}: received split {split!r}, expected {', '.join(_SPLITS)}")
    return name, split


def _location(path, where, file):
    if isinstance(file, str):
        file = {"path": file}
    _check_fields(where, file, {"path"}, {"stream", "channel"})
    if not isinstance(file["path"], str):
        raise InputError(f"{where}: received path {file['path']!r}, expected text")
    for key in ("stream", "channel"):
        value = file.get(key)
        if value is not None and not str(value).isdecimal():
            raise InputError(f"{where}: received {key} {value!r}, expected a number from 0 on")
    stream, channel = file.get("stream"), file.get("channel")
    return Location(
        path.parent / file_name(file["path"]),
        int(stream or 0),
        None if channel is None else int(channel),
    )
