"""Recognising a data set by looking: each layout's reader is asked in turn."""

from pathlib import Path

from kerasep.data.layouts.named_speakers import named_speakers
from kerasep.data.layouts.source_folders import source_folders
from kerasep.errors import InputError

_POOLS = (source_folders, named_speakers)
_POOL_FORMS = "expected FOLDER/<speaker or instrument>/*.wav or files named by speaker"


def find_groups(folder):
    """Find the recordings of a data set without mixtures.

    Args:
        folder: the data set.

    Returns:
        `Found` with groups.

    Raises:
        InputError: the folder is missing or has another layout.
    """
    folder = _checked(folder, _POOL_FORMS)
    for reader in _POOLS:
        found = reader(folder)
        if found:
            return found
    raise InputError(f"{folder} has no recordings of single speakers or instruments: {_POOL_FORMS}")


def _checked(folder, forms):
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder: {forms}")
    return folder
