"""A folder per speaker or instrument, with recordings of it: no mixtures."""

from kerasep.data.datasets.layouts.contents import Contents, GroupFiles, Location
from kerasep.data.datasets.layouts.folders import audio_tree, split_folders, split_of, subfolders


def source_folders(folder):
    """Return the recordings of `george/*.wav` or `drums/*.wav`, at any depth."""
    skipped, groups = [], []
    for split, part in split_folders(folder, skipped):
        for group in subfolders(part, skipped):
            recordings = [Location(path) for path in audio_tree(group, skipped)]
            if recordings:
                groups.append(GroupFiles(group.name, recordings, split))
    names = {group.name for group in groups}
    if len(names) < 2 or all(split_of(name) for name in names):
        return None
    return Contents("source folders (no mixtures)", groups=groups, skipped=skipped)
