"""Listing folders: without hidden files, and safe from loops of links and missing permissions.

Each function takes a list `skipped`, which gets a line per entry that is left out.
"""

import os
import re
from pathlib import Path
from typing import NamedTuple

from kerasep.data import audio
from kerasep.data.datasets.layouts.once import once

_SPLITS = {
    "train": ("train", "training", "tr", "development"),
    "valid": ("valid", "validation", "val", "cv", "dev"),
    "test": ("test", "testing", "tt", "eval"),
}
_FIRST_WORD = re.compile(r"([a-z]+)(?![^\W_])")
_DEEPEST = 6
_SUFFIXES = frozenset(audio.SUFFIXES)


class Entry(NamedTuple):
    """A path in a folder."""

    path: Path
    is_dir: bool
    is_audio: bool  # a file with the suffix of an audio format

    @property
    def is_stem_mp4(self):
        """Whether it is a file `*.stem.mp4`, whose streams are stems."""
        return self.is_audio and self.path.name.lower().endswith(".stem.mp4")


def entries(folder, skipped):
    """Return each `Entry` of a folder by name, but hidden ones and the `__MACOSX` of archives."""
    kept, lines = _listing(folder)
    skipped += lines
    return kept


@once
def _listing(folder):
    kept, skipped = [], []
    try:
        with os.scandir(folder) as found:
            by_name = {entry.name: entry for entry in found}
    except OSError as error:
        return [], [f"{folder}: {error.strerror}"]
    for name in sorted(by_name):
        if name.startswith(".") or name == "__MACOSX":
            continue
        entry, path = by_name[name], folder / name
        has_suffix = os.path.splitext(name)[1].lower() in _SUFFIXES
        try:
            if entry.is_symlink():
                entry.stat()
                if folder.resolve().is_relative_to(path.resolve()):
                    skipped.append(f"{path}: a link back to a folder above")
                    continue
            kept.append(Entry(path, entry.is_dir(), has_suffix and entry.is_file()))
        except OSError as error:
            skipped.append(f"{path}: {error.strerror}")
    return kept, skipped


def subfolders(folder, skipped):
    """Return the folders in a folder."""
    return [entry.path for entry in entries(folder, skipped) if entry.is_dir]


def audio_files(folder, skipped):
    """Return the audio files in a folder."""
    return [entry.path for entry in entries(folder, skipped) if entry.is_audio]


def audio_tree(folder, skipped, above=()):
    """Return the audio files in a folder and below; `above` has the folders on the way."""
    identity = (folder.stat().st_dev, folder.stat().st_ino)
    if identity in above or len(above) > _DEEPEST:
        skipped.append(f"{folder}: a link in a loop, or more than {_DEEPEST} folders deep")
        return []
    files = []
    for entry in entries(folder, skipped):
        if entry.is_dir:
            files += audio_tree(entry.path, skipped, (*above, identity))
        elif entry.is_audio:
            files.append(entry.path)
    return files


def split_folders(folder, skipped, of_files=False):
    """Return (split, folder) pairs, or `[(None, folder)]` for a data set without splits.

    A folder with recordings in it is a track, whatever its name, unless `of_files`. Without a train
    folder, dev is for training.
    """
    folders = subfolders(folder, skipped)
    splits = {
        path: split
        for path in folders
        if (split := split_of(path.name)) and (of_files or not _is_track(path))
    }
    if not splits:
        return [(None, folder)]
    if "train" not in splits.values():
        for path in splits:
            if path.name.lower().startswith("dev"):
                splits[path] = "train"
    skipped += [f"{path}: neither train, valid nor test" for path in folders if path not in splits]
    return [(split, path) for path, split in splits.items()]


def _is_track(folder):
    return any(entry.is_audio and not entry.is_stem_mp4 for entry in entries(folder, []))


def split_of(name):
    """Return the split of a folder by the first word of its name (`train-clean-100`), or None."""
    match = _FIRST_WORD.match(name.lower())
    return next((split for split, words in _SPLITS.items() if match and match[1] in words), None)
