"""Recordings in one folder whose names have the speaker as one of their fields: no mixtures."""

import re

from kerasep.data.datasets.layouts.contents import Contents, GroupFiles, Location
from kerasep.data.datasets.layouts.folders import audio_files, split_folders

_SEPARATOR = re.compile(r"[-_ ]")


def named_speakers(folder):
    """Return the recordings of `7_george_12.wav`, `p225_001.wav` or `84-121123-0000.flac`."""
    skipped, groups = [], {}
    files = [
        (split, path, _SEPARATOR.split(path.stem))
        for split, part in split_folders(folder, skipped, of_files=True)
        for path in audio_files(part, skipped)
    ]
    field = _speaker_field([words for _, _, words in files])
    if field is None:
        return None
    for split, path, words in files:
        groups.setdefault((words[field], split), []).append(Location(path))
    groups = [GroupFiles(name, places, split) for (name, split), places in groups.items()]
    return Contents("recordings named by speaker (no mixtures)", groups=groups, skipped=skipped)


def _speaker_field(names):
    """Return the index of the one varying field with letters, or 0 without letters, or None."""
    if len({len(words) for words in names}) != 1 or len(names[0]) < 2:
        return None
    columns = [set(column) for column in zip(*names, strict=True)]
    lettered = [
        index
        for index, column in enumerate(columns)
        if len(column) > 1 and any(word[:1].isalpha() for word in column)
    ]
    if len(lettered) > 1:
        return None
    field = lettered[0] if lettered else 0
    # A field that differs in every file is not a speaker.
    return field if 1 < len(columns[field]) < len(names) else None
