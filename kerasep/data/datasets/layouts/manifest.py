"""A list of a data set's files, `manifest.json` or `manifest.csv`, for sets of any other layout."""

import csv
import io
import json

from kerasep.data.datasets.layouts.found import Found, GroupFiles, Location, TrackFiles
from kerasep.errors import InputError
from kerasep.files.text_files import file_name, read_text

_NAMES = ("manifest.json", "manifest.csv")
_SPLITS = ("train", "valid", "test")
_FIELDS = {
    "tracks": ({"name", "stems"}, {"mixture", "split", "song"}),
    "groups": ({"name", "recordings"}, {"split"}),
}
_COLUMNS = (
    ({"track", "stem", "path"}, {"stream", "channel", "split", "song"}),
    ({"group", "path"}, {"stream", "channel", "split"}),
)


def manifest(path):
    """Read a manifest; paths in it are relative to its folder.

    JSON: `{"tracks": [{"name": ..., "stems": {"vocals": FILE, ...}}]}`, each track with `mixture`,
    `split` and `song` where it has them, and FILE a path or `{"path": ..., "stream": 1, "channel":
    0}`; or, without mixtures, `{"groups": [{"name": ..., "recordings": [FILE, ...]}]}`.
    CSV: a line for each file, with columns track, stem, path and any of stream, channel, split,
    song, where the stem `mixture` is the mixture; or with columns group, path and any of stream,
    channel, split.

    Args:
        path: the file, or a folder with a `manifest.json` or `manifest.csv`.

    Returns:
        `Found`, or None where there is no such file.

    Raises:
        InputError: saying which line or entry of the file is wrong.
    """
    if path.is_dir():
        path = next((path / name for name in _NAMES if (path / name).is_file()), None)
    if path is None or not path.is_file() or path.suffix.lower() not in (".json", ".csv"):
        return None
    try:
        listed = _read_json(path) if path.suffix.lower() == ".json" else _read_csv(path)
    except (UnicodeDecodeError, json.JSONDecodeError, csv.Error) as error:
        raise InputError(f"{path} is no manifest: {error}") from error
    if listed is None:
        return None
    tracks = [_track(path, where, entry) for where, entry in listed.get("tracks", ())]
    groups = [_group(path, where, entry) for where, entry in listed.get("groups", ())]
    if not tracks and not groups:
        raise InputError(f"{path} is empty: expected tracks or groups")
    return Found("manifest", tracks, groups)


def _read_json(path):
    """Give `{"tracks" or "groups": [(where, entry), ...]}`."""
    content = json.loads(read_text(path))
    kinds = sorted(content) if isinstance(content, dict) else []
    if len(kinds) != 1 or kinds[0] not in _FIELDS or not isinstance(content[kinds[0]], list):
        raise InputError(f'{path} is no manifest: expected {{"tracks": [...]}} or "groups"')
    kind = kinds[0]
    required, optional = _FIELDS[kind]
    listed = []
    for number, entry in enumerate(content[kind]):
        where = f"{path}, {kind}[{number}]"
        _check_fields(where, entry, required, optional)
        listed.append((where, entry))
    return {kind: listed}


def _read_csv(path):
    """As `_read_json`; None for a table that is no manifest but may be another's."""
    rows = csv.DictReader(io.StringIO(read_text(path), newline=""), strict=True)
    columns = set(rows.fieldnames or ())
    if {"track", "stem"} <= columns:
        kind, (required, optional) = "tracks", _COLUMNS[0]
    elif "group" in columns:
        kind, (required, optional) = "groups", _COLUMNS[1]
    else:
        return None
    _check_fields(f"{path} line 1", dict.fromkeys(columns), required, optional)
    entries = {}
    for row in rows:
        where = f"{path} line {rows.line_num}"
        if None in row or None in row.values():
            raise InputError(f"{where}: expected {len(columns)} values, {','.join(columns)}")
        row = {key: value for key, value in row.items() if value}
        _check_fields(where, row, required, optional)
        if kind == "tracks":
            _add_stem(where, entries, row)
        else:
            key = (row["group"], row.get("split"))
            entry = {"name": row["group"], "recordings": [], **_some(row, "split")}
            entries.setdefault(key, (where, entry))[1]["recordings"].append(_file(row))
    return {kind: list(entries.values())}


def _add_stem(where, entries, row):
    entry = {"name": row["track"], "stems": {}, **_some(row, "split", "song")}
    entry = entries.setdefault(row["track"], (where, entry))[1]
    if _some(row, "split", "song") != _some(entry, "split", "song"):
        raise InputError(f"{where}: track {row['track']!r} has another split or song further up")
    if row["stem"] in (*entry["stems"], "mixture" if "mixture" in entry else ""):
        raise InputError(f"{where}: track {row['track']!r} has two files for {row['stem']!r}")
    if row["stem"] == "mixture":
        entry["mixture"] = _file(row)
    else:
        entry["stems"][row["stem"]] = _file(row)


def _file(row):
    return _some(row, "path", "stream", "channel")


def _some(row, *keys):
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
        raise InputError(f"{where}: received stems {stems!r}, expected a file for each name")
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
    numbers = {}
    for key in ("stream", "channel"):
        value = file.get(key)
        if value is not None and not str(value).isdecimal():
            raise InputError(f"{where}: received {key} {value!r}, expected a number from 0 on")
        numbers[key] = None if value is None else int(value)
    return Location(
        path.parent / file_name(file["path"]), numbers["stream"] or 0, numbers["channel"]
    )
