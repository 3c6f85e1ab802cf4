"""Listing folders: without hidden files, and safe from loops of links and missing permissions.

Each function takes a list `skipped`, which gets a line per entry that is left out.
"""

import re

from kerasep.data import audio

_SPLITS = {
    "train": ("train", "training", "tr", "development"),
    "valid": ("valid", "validation", "val", "cv", "dev"),
    "test": ("test", "testing", "tt", "eval"),
}
_FIRST_WORD = re.compile(r"([a-z]+)(?![^\W_])")
_DEEPEST = 6


def entries(folder, skipped):
    """Return the sorted paths in a folder, but hidden ones and the `__MACOSX` of zip archives."""
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        skipped.append(f"{folder}: {error.strerror}")
        return []
    kept = []
    for path in paths:
        if path.name.startswith(".") or path.name == "__MACOSX":
            continue
        try:
            path.stat()
        except OSError as error:
            skipped.append(f"{path}: {error.strerror}")
            continue
        if path.is_symlink() and folder.resolve().is_relative_to(path.resolve()):
            skipped.append(f"{path}: a link back to a folder above")
            continue
        kept.append(path)
    return kept


def subfolders(folder, skipped):
    """Return the folders in a folder."""
    return [path for path in entries(folder, skipped) if path.is_dir()]


def audio_files(folder, skipped):
    """Return the audio files in a folder."""
    return [path for path in entries(folder, skipped) if is_audio(path)]


def is_audio(path):
    """Return whether a path is a file with the suffix of an audio format."""
    return path.suffix.lower() in audio.SUFFIXES and path.is_file()


def is_stem_mp4(path):
    """Return whether a path is a file `*.stem.mp4`, whose streams are stems."""
    return path.name.lower().endswith(".stem.mp4") and path.is_file()


def audio_tree(folder, skipped, above=()):
    """Return the audio files in a folder and below; `above` has the folders on the way."""
    identity = (folder.stat().st_dev, folder.stat().st_ino)
    if identity in above or len(above) > _DEEPEST:
        skipped.append(f"{folder}: a link in a loop, or more than {_DEEPEST} folders deep")
        return []
    files = []
    for path in entries(folder, skipped):
        if path.is_dir():
            files += audio_tree(path, skipped, (*above, identity))
        elif is_audio(path):
            files.append(path)
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
    return any(not is_stem_mp4(path) for path in audio_files(folder, []))


def split_of(name):
    """Return the split of a folder by the first word of its name (`train-clean-100`), or None."""
    match = _FIRST_WORD.match(name.lower())
    return next((split for split, words in _SPLITS.items() if match and match[1] in words), None)
