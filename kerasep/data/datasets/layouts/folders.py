"""Looking into folders as people have them: hidden files, links in a loop, no permission."""

import re

from kerasep.data import audio
from kerasep.data.datasets.layouts.stem_mp4 import is_stem_mp4

_SPLITS = {
    "train": ("train", "training", "tr", "development"),
    "valid": ("valid", "validation", "val", "cv", "dev"),
    "test": ("test", "testing", "tt", "eval"),
}
_FIRST_WORD = re.compile(r"[a-z]+")
_DEEPEST = 6


def entries(folder, skipped):
    """List what is in a folder, by name, without what is hidden or cannot be looked at.

    Args:
        folder: the folder.
        skipped: list that gets a line for each entry left out, but for hidden ones: names with a
            dot in front (AppleDouble files among them) and the `__MACOSX` of zip archives.

    Returns:
        List of paths.
    """
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
    """List the folders in a folder; arguments as of `entries`."""
    return [path for path in entries(folder, skipped) if path.is_dir()]


def audio_files(folder, skipped):
    """List the audio files in a folder, by their names' ends; arguments as of `entries`."""
    return [path for path in entries(folder, skipped) if is_audio(path)]


def is_audio(path):
    """Tell whether a path is a file whose name ends as an audio file's does."""
    return path.suffix.lower() in audio.SUFFIXES and path.is_file()


def audio_tree(folder, skipped, above=()):
    """List the audio files in a folder and in those below it.

    Args:
        folder: the folder.
        skipped: as for `entries`; links that lead back up, and folders too deep, are noted too.
        above: identities of the folders above.

    Returns:
        List of paths.
    """
    identity = (folder.stat().st_dev, folder.stat().st_ino)
    if identity in above or len(above) > _DEEPEST:
        skipped.append(f"{folder}: a link in a loop, or more than {_DEEPEST} folders deep")
        return []
    found = []
    for path in entries(folder, skipped):
        if path.is_dir():
            found += audio_tree(path, skipped, (*above, identity))
        elif is_audio(path):
            found.append(path)
    return found


def parts(folder, skipped, of_files=False):
    """Find the splits of a data set: its folders for train, valid and test, or some of them.

    A split is told by its folder's first word: train-clean-100, Dev, cv. Dev is what one trains on
    where there is no train beside it.

    Args:
        folder: the data set.
        skipped: as for `entries`; folders beside the splits are noted.
        of_files: whether splits hold the recordings themselves. Defaults to False: a folder of
            them is then no split, even if it is a song called Test.

    Returns:
        List of (split, folder) pairs; `[(None, folder)]` where there are no splits.
    """
    folders = subfolders(folder, skipped)
    found = [(split, path) for path in folders if (split := split_of(path.name))]
    if not of_files:
        found = [(split, path) for split, path in found if not _is_track(path)]
    if not found:
        return [(None, folder)]
    splits = {split for split, _ in found}
    if "train" not in splits:
        found = [
            ("train" if path.name.lower().startswith("dev") else split, path)
            for split, path in found
        ]
    known = {path for _, path in found}
    skipped += [f"{path}: neither train, valid nor test" for path in folders if path not in known]
    return found


def _is_track(folder):
    return any(not is_stem_mp4(path) for path in audio_files(folder, []))


def split_of(name):
    """Tell which split a folder's name stands for, or None.

    Example:
    >>> split_of("train-clean-100"), split_of("cv"), split_of("trio")
    ('train', 'valid', None)
    """
    word = _FIRST_WORD.match(name.lower())
    rest = name[word.end() :][:1] if word else "?"
    if rest.isalnum() or rest == "?":
        return None
    return next((split for split, words in _SPLITS.items() if word.group() in words), None)
