"""Recognising a data set by looking: each layout's reader is asked in turn."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from kerasep.data.datasets.layouts.dsd100 import dsd100
from kerasep.data.datasets.layouts.libri_mix_table import libri_mix_table
from kerasep.data.datasets.layouts.manifest import manifest
from kerasep.data.datasets.layouts.mir_1k import mir_1k
from kerasep.data.datasets.layouts.mixture_trees import mixture_trees
from kerasep.data.datasets.layouts.musdb import musdb18, musdb18_hq
from kerasep.data.datasets.layouts.named_speakers import named_speakers
from kerasep.data.datasets.layouts.slakh import slakh
from kerasep.data.datasets.layouts.source_folders import source_folders
from kerasep.data.datasets.layouts.stems_folders import stems_folders
from kerasep.errors import InputError

# In this order: what the later ones look for, the earlier ones' folders may have too.
_TRACKS = (dsd100, slakh, mixture_trees, mir_1k, musdb18, musdb18_hq, stems_folders)
_POOLS = (source_folders, named_speakers)
_TRACK_FORMS = "expected FOLDER/<track>/<stem>.wav (or .flac, .mp3, ...), a manifest or a known set"
_POOL_FORMS = "expected FOLDER/<speaker or instrument>/*.wav, files named by speaker or a manifest"


def recognise(folder):
    """Find out how a data set is laid out.

    Args:
        folder: the data set, or a manifest.

    Returns:
        `Found` with tracks or groups.

    Raises:
        InputError: there is no such folder, or its layout is unknown.
    """
    return _first((*_TRACKS, *_POOLS), folder, _TRACK_FORMS)


def recognise_tracks(folder):
    """Find the tracks of a data set; as `recognise`, for that alone."""
    found = _first(_TRACKS, folder, _TRACK_FORMS)
    if found.groups:
        raise InputError(f"{folder} lists recordings without mixtures: {_TRACK_FORMS}")
    return found


def recognise_groups(folder):
    """Find the recordings of a data set without mixtures; as `recognise`, for that alone."""
    found = _first(_POOLS, folder, _POOL_FORMS)
    if found.tracks:
        raise InputError(f"{folder} lists tracks: {_POOL_FORMS}")
    return found


def of_split(found, split, folder):
    """Choose the tracks or groups of one split.

    Args:
        found: list of `TrackFiles` or `GroupFiles`.
        split: "train", "valid" or "test", or None for all.
        folder: where they were found.

    Returns:
        List of the same.

    Raises:
        InputError: there are none of that split.
    """
    chosen = [one for one in found if split in (None, one.split)]
    if not chosen:
        splits = sorted({one.split for one in found if one.split})
        raise InputError(
            f"{folder} has no split {split!r}: expected one of {', '.join(splits)}"
            if splits
            else f"{folder} has no splits of its own: leave out split={split!r}"
        )
    return chosen


def _first(readers, folder, forms):
    folder = Path(folder)
    if folder.is_file():
        found = manifest(folder) or libri_mix_table(folder)
        if not found:
            raise InputError(f"{folder} is no manifest: expected a .json or .csv file, or a folder")
        return _named_apart(found)
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder: {forms}")
    for reader in (manifest, *readers):
        found = reader(folder)
        if found:
            return _named_apart(found)
    for reader in (*_TRACKS, *_POOLS):
        found = reader(folder)
        if found:
            raise InputError(f"{folder} holds {found.layout}: {forms}")
    raise InputError(f"{folder} has no track or recording in a known layout: {forms}")


def _named_apart(found):
    """Put the split before the names of tracks that would else be the same; skip what still are.

    What was left aside is told once, however many times it was met.
    """
    counts = Counter(track.name for track in found.tracks)
    tracks, skipped = {}, list(dict.fromkeys(found.skipped))
    for track in found.tracks:
        if counts[track.name] > 1 and track.split:
            track = replace(track, name=f"{track.split}/{track.name}")
        if track.name in tracks:
            place = next(iter(track.stems.values())).path
            skipped.append(f"{place}: there is another track called {track.name!r}, rename one")
        else:
            tracks[track.name] = track
    return replace(found, tracks=list(tracks.values()), skipped=skipped)
