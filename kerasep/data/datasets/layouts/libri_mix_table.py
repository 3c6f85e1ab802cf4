"""The tables of LibriMix, `metadata/mixture_train-100_mix_clean.csv`: one line per mixture."""

import csv
import io
import re
from pathlib import Path

from kerasep.data.datasets.layouts.contents import Contents, Location, TrackFiles
from kerasep.data.datasets.layouts.folders import split_of
from kerasep.errors import InputError
from kerasep.files.text_files import file_name, read_text

_SOURCE = re.compile(r"source_(\d)_path")


def libri_mix_table(path):
    """Return the tracks of a table, with stems speaker_1, speaker_2, ... and noise, or None."""
    if not path.is_file() or path.suffix.lower() != ".csv":
        return None
    try:
        rows = csv.DictReader(io.StringIO(read_text(path), newline=""))
        columns = {
            name: f"speaker_{match[1]}"
            for name in rows.fieldnames or ()
            if (match := _SOURCE.fullmatch(name))
        }
        if not columns or not {"mixture_ID", "mixture_path"} <= set(rows.fieldnames):
            return None
        if "noise_path" in rows.fieldnames:
            columns["noise_path"] = "noise"
        split = split_of(path.stem.removeprefix("mixture_"))
        tracks = [_track(path, f"{path} line {rows.line_num}", row, columns, split) for row in rows]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is not a table: {error}") from error
    return Contents("table of LibriMix", tracks)


def _track(path, where, row, columns, split):
    missing = [name for name in ("mixture_ID", "mixture_path", *columns) if not row[name]]
    if missing:
        raise InputError(f"{where}: {', '.join(missing)} is missing")
    stems = {source: _location(path, row[name]) for name, source in columns.items()}
    mixture = _location(path, row["mixture_path"])
    return TrackFiles(row["mixture_ID"], stems, split, mixture=mixture)


def _location(table, text):
    """Return a path of the table, or its last three parts (split, folder, file) beside the table.

    The paths are often those of the machine that created the data set.
    """
    written = table.parent / file_name(text)
    beside = table.parent.parent.joinpath(*Path(file_name(text)).parts[-3:])
    return Location(beside if beside.is_file() and not written.is_file() else written)
