"""Recognise the layout of a data set by trying the function of each layout in turn."""

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
from kerasep.data.datasets.layouts.once import once, unchanged
from kerasep.data.datasets.layouts.slakh import slakh
from kerasep.data.datasets.layouts.source_folders import source_folders
from kerasep.data.datasets.layouts.stems_folders import stems_folders
from kerasep.errors import InputError

# In this order: folders of the earlier layouts may match the later ones, too.
_TRACKS = (dsd100, slakh, mixture_trees, mir_1k, musdb18, musdb18_hq, stems_folders)
_POOLS = (source_folders, named_speakers)
_TRACK_FORMS = "expected FOLDER/<track>/<stem>.wav (or .flac, .mp3, ...), a manifest or a known set"
_POOL_FORMS = "expected FOLDER/<speaker or instrument>/*.wav, files named by speaker or a manifest"


def recognise(folder):
    """Return the `Contents` of a data set or manifest; raises `InputError` if it is unknown."""
    return _first((*_TRACKS, *_POOLS), folder, _TRACK_FORMS)


def recognise_tracks(folder):
    """Return the `Contents` of a data set of tracks."""
    contents = _first(_TRACKS, folder, _TRACK_FORMS)
    if contents.groups:
        raise InputError(f"{folder} lists recordings without mixtures: {_TRACK_FORMS}")
    return contents


def recognise_groups(folder):
    """Return the `Contents` of a data set without mixtures."""
    contents = _first(_POOLS, folder, _POOL_FORMS)
    if contents.tracks:
        raise InputError(f"{folder} lists tracks: {_POOL_FORMS}")
    return contents


def of_split(files, split, folder):
    """Return the `TrackFiles` or `GroupFiles` of a split, or all without one."""
    chosen = [entry for entry in files if split in (None, entry.split)]
    if not chosen:
        splits = sorted({entry.split for entry in files if entry.split})
        raise InputError(
            f"{folder} has no split {split!r}: expected one of {', '.join(splits)}"
            if splits
            else f"{folder} has no splits: leave out split={split!r}"
        )
    return chosen


@unchanged()
def _first(layouts, folder, forms):
    folder = Path(folder)
    if folder.is_file():
        contents = manifest(folder) or libri_mix_table(folder)
        if not contents:
            raise InputError(
                f"{folder} is not a manifest: expected a .json or .csv file, or a folder"
            )
        return _with_unique_names(contents)
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: {forms}")
    for layout in (manifest, *layouts):
        if contents := _tried(layout, folder):
            return _with_unique_names(contents)
    for layout in (*_TRACKS, *_POOLS):
        if contents := _tried(layout, folder):
            raise InputError(f"{folder} holds {contents.layout}: {forms}")
    raise InputError(f"{folder} has no track or recording in a known layout: {forms}")


@once
def _tried(layout, folder):
    return layout(folder)


def _with_unique_names(contents):
    """Put the split before duplicate names, and skip tracks whose names are still duplicate."""
    counts = Counter(track.name for track in contents.tracks)
    tracks, skipped = {}, list(dict.fromkeys(contents.skipped))
    for track in contents.tracks:
        if counts[track.name] > 1 and track.split:
            track = replace(track, name=f"{track.split}/{track.name}")
        if track.name in tracks:
            place = next(iter(track.stems.values())).path
            skipped.append(f"{place}: there is another track called {track.name!r}, rename one")
        else:
            tracks[track.name] = track
    return replace(contents, tracks=list(tracks.values()), skipped=skipped)
