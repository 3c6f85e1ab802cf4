"""WSJ0-mix, LibriMix and WHAM: folders of mixtures beside folders of their sources."""

import re

from kerasep.data.datasets.layouts.contents import Contents, Location, TrackFiles
from kerasep.data.datasets.layouts.folders import audio_files, split_of, subfolders
from kerasep.errors import InputError

_SPEAKER = re.compile(r"s[1-9]")
# In order of preference: that of all sources first.
_MIXTURES = ("mix_both", "mix", "mix_clean", "mix_single")
_DEEPEST = 4


def mixture_trees(folder):
    """Return the mixtures of `tr/mix/*.wav`, with stems `tr/s1/*.wav`, `tr/s2/*.wav` and noise.

    Raises `InputError` if there are several versions of the data set, such as min and max.
    """
    skipped = []
    trees = list(_trees(folder, (folder.name,)))
    versions = {tuple(name for name in names if not split_of(name)): tree for names, tree in trees}
    if len(versions) > 1:
        choices = ", ".join(str(tree.parent) for tree in versions.values())
        raise InputError(f"{folder} holds the same mixtures in several versions: choose {choices}")
    tracks = [track for names, tree in trees for track in _tracks(tree, names, skipped)]
    if not tracks:
        return None
    return Contents("mixtures of speakers (WSJ0-mix, LibriMix, WHAM)", tracks, skipped=skipped)


def _trees(folder, names):
    """Yield (names of the folders on the way, folder) per folder with s1 and a mixture.

    Without a mixture it must hold only sources: s0 to s9 may be the names of tracks.
    """
    below = {path.name: path for path in subfolders(folder, [])}
    mixed = below.keys() & {*_MIXTURES, "noise"}
    only_sources = len(below) > 1 and all(_SPEAKER.fullmatch(name) for name in below)
    if "s1" in below and (mixed or only_sources):
        yield names, folder
    elif len(names) <= _DEEPEST:
        for name, path in below.items():
            yield from _trees(path, (*names, name))


def _tracks(tree, names, skipped):
    split = next(filter(None, map(split_of, reversed(names))), None)
    below = {path.name: path for path in subfolders(tree, skipped)}
    kind = next((name for name in _MIXTURES if name in below), None)
    sources = {
        f"speaker_{name[1:]}": path
        for name, path in below.items()
        if _SPEAKER.fullmatch(name) and (name == "s1" or kind != "mix_single")
    }
    if "noise" in below and kind != "mix_clean":
        sources["noise"] = below["noise"]
    files = {
        source: {path.name: path for path in audio_files(path, skipped)}
        for source, path in sources.items()
    }
    mixtures = {path.name for path in audio_files(below[kind], [])} if kind else set()
    for name, path in files["speaker_1"].items():
        missing = [source for source, paths in files.items() if name not in paths]
        if missing:
            skipped.append(f"{path}: there is no file of that name for {', '.join(missing)}")
            continue
        stems = {source: Location(paths[name]) for source, paths in files.items()}
        mixture = Location(below[kind] / name) if name in mixtures else None
        yield TrackFiles(path.stem, stems, split, mixture=mixture)
