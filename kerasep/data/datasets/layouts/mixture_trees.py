"""Trees of mixtures and their sources: WSJ0-mix, LibriMix, WHAM."""

import re

from kerasep.data.datasets.layouts.folders import audio_files, split_of, subfolders
from kerasep.data.datasets.layouts.found import Found, Location, TrackFiles
from kerasep.errors import InputError

_SPEAKER = re.compile(r"s[1-9]")
# Which mixture the tracks are, where there are several: that of all parts first.
_MIXTURES = ("mix_both", "mix", "mix_clean", "mix_single")
_DEEPEST = 4


def mixture_trees(folder):
    """Find mixtures of speakers, `tr/mix/*.wav` with `tr/s1/*.wav`, `tr/s2/*.wav`.

    The sources are called speaker_1, speaker_2, ... and noise, which belongs to the mixture where
    there is a `mix_both` (or a `mix` or `mix_single` beside the noise). With `mix_single` alone
    there is one speaker.

    Args:
        folder: the data set (such as `wav8k/min`), a folder above or one of its splits.

    Returns:
        `Found` with tracks, or None without a folder `s1` beside one of mixtures or sources.

    Raises:
        InputError: there are several versions of the set, such as min and max.
    """
    skipped = []
    trees = list(_trees(folder, (folder.name,)))
    versions = {tuple(name for name in names if not split_of(name)): tree for names, tree in trees}
    if len(versions) > 1:
        choices = ", ".join(str(tree.parent) for tree in versions.values())
        raise InputError(f"{folder} holds the same mixtures in several versions: give {choices}")
    tracks = [track for names, tree in trees for track in _tracks(tree, names, skipped)]
    if not tracks:
        return None
    return Found("mixtures of speakers (WSJ0-mix, LibriMix, WHAM)", tracks, skipped=skipped)


def _trees(folder, names):
    """Yield (names of the folders on the way, folder) for each folder of s1 and a mixture.

    Without mixtures it must hold sources alone: s0 to s9 are tracks of somebody's own.
    """
    below = {path.name: path for path in subfolders(folder, [])}
    mixed = below.keys() & {*_MIXTURES, "noise"}
    alone = len(below) > 1 and all(_SPEAKER.fullmatch(name) for name in below)
    if "s1" in below and (mixed or alone):
        yield names, folder
    elif len(names) <= _DEEPEST:
        for name, path in below.items():
            yield from _trees(path, (*names, name))


def _tracks(tree, names, skipped):
    split = next((split_of(name) for name in reversed(names) if split_of(name)), None)
    below = {path.name: path for path in subfolders(tree, skipped)}
    kind = next((name for name in _MIXTURES if name in below), None)
    sources = {
        f"speaker_{name[1:]}": path for name, path in below.items() if _SPEAKER.fullmatch(name)
    }
    if kind == "mix_single":
        sources = {"speaker_1": sources["speaker_1"]}
    if "noise" in below and kind != "mix_clean":
        sources["noise"] = below["noise"]
    files = {
        source: {path.name: path for path in audio_files(path, skipped)}
        for source, path in sources.items()
    }
    mixtures = {path.name for path in audio_files(below[kind], [])} if kind else set()
    for name, path in files["speaker_1"].items():
        missing = [source for source, found in files.items() if name not in found]
        if missing:
            skipped.append(f"{path}: there is no file of that name for {', '.join(missing)}")
            continue
        stems = {source: Location(found[name]) for source, found in files.items()}
        mixture = Location(below[kind] / name) if name in mixtures else None
        yield TrackFiles(path.stem, stems, split, mixture=mixture)
