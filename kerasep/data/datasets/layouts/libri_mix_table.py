"""The tables of LibriMix, `metadata/mixture_train-100_mix_clean.csv`: a line for each mixture."""

import csv
import io
import re
from pathlib import Path

from kerasep.data.datasets.layouts.folders import split_of
from kerasep.data.datasets.layouts.found import Found, Location, TrackFiles
from kerasep.errors import InputError
from kerasep.files.text_files import file_name, read_text

_SOURCE = re.compile(r"source_(\d)_path")


def libri_mix_table(path):
    """Read a table with columns mixture_ID, mixture_path, source_1_path, ..., noise_path.

    The sources are called speaker_1, speaker_2, ... and noise; the split is told by the file's
    name. Paths are often those of the machine that made the set: where they lead nowhere, their
    last three parts (split, folder, file) are looked for beside the table's folder.

    Args:
        path: the file.

    Returns:
        `Found` with tracks, or None where it is no such table.

    Raises:
        InputError: a line lacks a value.
    """
    if not path.is_file() or path.suffix.lower() != ".csv":
        return None
    try:
        rows = csv.DictReader(io.StringIO(read_text(path), newline=""))
        columns = {
            name: f"speaker_{found[1]}"
            for name in rows.fieldnames or ()
            if (found := _SOURCE.fullmatch(name))
        }
        if not columns or not {"mixture_ID", "mixture_path"} <= set(rows.fieldnames):
            return None
        if "noise_path" in rows.fieldnames:
            columns["noise_path"] = "noise"
        split = split_of(path.stem.removeprefix("mixture_"))
        tracks = [_track(path, f"{path} line {rows.line_num}", row, columns, split) for row in rows]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is no table: {error}") from error
    return Found("table of LibriMix", tracks)


def _track(path, where, row, columns, split):
    missing = [name for name in ("mixture_ID", "mixture_path", *columns) if not row[name]]
    if missing:
        raise InputError(f"{where}: {', '.join(missing)} is missing")
    stems = {source: _location(path, row[name]) for name, source in columns.items()}
    mixture = _location(path, row["mixture_path"])
    return TrackFiles(row["mixture_ID"], stems, split, mixture=mixture)


def _location(table, text):
    text = file_name(text)
    given = table.parent / text
    here = table.parent.parent.joinpath(*Path(text).parts[-3:])
    return Location(here if here.is_file() and not given.is_file() else given)
