"""A folder for each speaker or instrument, with recordings of it alone: no mixtures."""

from kerasep.data.datasets.layouts.folders import audio_tree, parts, split_of, subfolders
from kerasep.data.datasets.layouts.found import Found, GroupFiles, Location


def source_folders(folder):
    """Find recordings by the folder they are in: `FOLDER/george/*.wav`, `FOLDER/drums/*.wav`.

    Recordings may lie deeper (LibriSpeech: speaker, chapter, file), and the folders in folders of
    train, valid and test.

    Args:
        folder: the data set.

    Returns:
        `Found` with groups, or None for fewer than two folders with audio, or folders of splits.
    """
    skipped, groups = [], []
    for split, part in parts(folder, skipped):
        for group in subfolders(part, skipped):
            recordings = [Location(path) for path in audio_tree(group, skipped)]
            if recordings:
                groups.append(GroupFiles(group.name, recordings, split))
    names = {group.name for group in groups}
    if len(names) < 2 or all(split_of(name) for name in names):
        return None
    return Found("source folders (no mixtures)", groups=groups, skipped=skipped)
