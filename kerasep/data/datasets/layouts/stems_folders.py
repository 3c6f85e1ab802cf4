"""A folder for each track, with a file for each stem."""

import unicodedata

from kerasep.data.datasets.layouts.folders import entries, is_audio, parts, subfolders
from kerasep.data.datasets.layouts.found import Found, Location, TrackFiles
from kerasep.data.datasets.layouts.songs import song_of
from kerasep.data.datasets.layouts.stem_mp4 import is_stem_mp4, stem_mp4_track

MIXTURES = ("mixture", "mix")
# Folders called so hold recordings of one source, not one track's stems.
_SOURCES = {"vocals", "voice", "drums", "bass", "other", "accompaniment", "guitar", "piano"}
_SOURCES |= {"strings", "keys", "speech", "noise", "music", "clean", "effects"}


def stems_folders(folder):
    """Find tracks as folders of stems, `song/vocals.flac`, among them files `*.stem.mp4`.

    A stem in several recordings has a folder (`song/vocals/lead.wav`); a file `mixture.*` or
    `mix.*` is the mixture. All may lie in folders of train, valid and test.

    Args:
        folder: the data set.

    Returns:
        `Found` with tracks, or None where folders do not hold the same stems, as those of one
        track and another do.
    """
    skipped, tracks = [], []
    for split, part in parts(folder, skipped):
        for path in entries(part, skipped):
            if is_stem_mp4(path):
                tracks.append(stem_mp4_track(path, split))
            elif path.is_dir():
                track = track_folder(path, split, skipped)
                tracks += [track] if track else []
            elif is_audio(path):
                skipped.append(f"{path}: not in the folder of a track")
    return Found("stems folders", tracks, skipped=skipped) if _share_stems(tracks) else None


def track_folder(folder, split, skipped):
    """Find the stems of one track.

    Args:
        folder: the track's folder.
        split: what it belongs to.
        skipped: list that gets a line where it is no usable track.

    Returns:
        `TrackFiles`, or None without stems, or with two files for one.
    """
    stems, mixture = {}, None
    for prefix, path in _files(folder, skipped):
        # Some file systems spell an accent as a character of its own, which nobody types.
        name = unicodedata.normalize("NFC", prefix + path.stem.lower())
        if name in MIXTURES:
            mixture = Location(path)
        elif name in stems:
            skipped.append(f"{folder}: two files for stem {name!r}, remove one")
            return None
        else:
            stems[name] = Location(path)
    if not stems:
        return None
    return TrackFiles(folder.name, stems, split, song_of(folder.name), mixture)


def _files(folder, skipped):
    for path in entries(folder, skipped):
        if is_audio(path):
            yield "", path
    for below in subfolders(folder, []):
        for path in entries(below, skipped):
            if is_audio(path):
                yield f"{below.name.lower()}/", path


def _share_stems(tracks):
    """Tell whether most tracks have a stem that another has too; numbers are no stems' names."""
    if len(tracks) < 2:
        return bool(tracks)
    if all(track.name.lower() in _SOURCES for track in tracks):
        return False
    names = [{stem.split("/")[0] for stem in track.stems} for track in tracks]
    counts = {}
    for stem in (stem for each in names for stem in each if not stem.isdigit()):
        counts[stem] = counts.get(stem, 0) + 1
    sharing = sum(any(counts.get(stem, 0) > 1 for stem in each) for each in names)
    return 2 * sharing >= len(tracks)
