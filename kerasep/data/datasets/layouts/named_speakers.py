"""Recordings in one folder, whose names say who speaks: no mixtures."""

import re

from kerasep.data.datasets.layouts.folders import audio_files, parts
from kerasep.data.datasets.layouts.found import Found, GroupFiles, Location

_SEPARATOR = re.compile(r"[-_ ]")


def named_speakers(folder):
    """Find recordings whose names are made of the same fields, one of them the speaker.

    The speaker is the one field that varies and has letters in it (`7_george_12.wav`,
    `p225_001.wav`); without letters it is the first (`84-121123-0000.flac`).

    Args:
        folder: the data set.

    Returns:
        `Found` with groups, or None where the names do not tell.
    """
    skipped, groups = [], {}
    files = [
        (split, path, _SEPARATOR.split(path.stem))
        for split, part in parts(folder, skipped, of_files=True)
        for path in audio_files(part, skipped)
    ]
    field = _speaker_field([words for _, _, words in files])
    if field is None:
        return None
    for split, path, words in files:
        groups.setdefault((words[field], split), []).append(Location(path))
    groups = [GroupFiles(name, found, split) for (name, split), found in groups.items()]
    return Found("recordings named by speaker (no mixtures)", groups=groups, skipped=skipped)


def _speaker_field(names):
    """Tell which field of split names is the speaker's, or None."""
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
    # Every file with a name of its own in that place says nothing.
    return field if 1 < len(columns[field]) < len(names) else None
