"""A folder per track with a file per stem, and tracks in one file `*.stem.mp4`."""

import re
import unicodedata
from collections import Counter

from kerasep.data.datasets.layouts.contents import Contents, Location, TrackFiles
from kerasep.data.datasets.layouts.folders import audio_files, entries, split_folders, subfolders
from kerasep.data.datasets.layouts.once import once

_MIXTURES = ("mixture", "mix")
_STREAMS = {"drums": 1, "bass": 2, "other": 3, "vocals": 4}  # stream 0 is the mixture
# Folders with these names hold recordings of one source, not the stems of one track.
_SOURCES = {"vocals", "voice", "drums", "bass", "other", "accompaniment", "guitar", "piano"}
_SOURCES |= {"strings", "keys", "speech", "noise", "music", "clean", "effects"}
_CLIP = re.compile(
    r"(?P<song>.+[-_ ]\d+)[-_ ]\d+"
    r"|(?P<whole>.+?)[-_ ]*(?:clip|part|segment|seg|chunk|excerpt)[-_ ]*\d+",
    re.IGNORECASE,
)


@once
def stems_folders(folder):
    """Return the tracks of `song/vocals.flac`, `song/vocals/lead.wav` and `*.stem.mp4`.

    None if the folders do not share names of stems.
    """
    skipped, tracks = [], []
    for split, part in split_folders(folder, skipped):
        for entry in entries(part, skipped):
            if entry.is_stem_mp4:
                tracks.append(stem_mp4_track(entry.path, split))
            elif entry.is_dir:
                track = track_folder(entry.path, split, skipped)
                tracks += [track] if track else []
            elif entry.is_audio:
                skipped.append(f"{entry.path}: not in the folder of a track")
    return Contents("stems folders", tracks, skipped=skipped) if _share_stems(tracks) else None


def stem_mp4_track(path, split):
    """Return the track in a file `*.stem.mp4`."""
    name = path.name[: -len(".stem.mp4")]
    stems = {stem: Location(path, stream) for stem, stream in _STREAMS.items()}
    return TrackFiles(name, stems, split, song_of(name), Location(path, 0))


def track_folder(folder, split, skipped):
    """Return the track in a folder, or None without stems or with two files for one."""
    stems, mixture = {}, None
    for prefix, path in _files(folder, skipped):
        # Some file systems decompose accented characters, unlike what users type.
        name = unicodedata.normalize("NFC", prefix + path.stem.lower())
        if name in _MIXTURES:
            mixture = Location(path)
        elif name in stems:
            skipped.append(f"{folder}: two files for stem {name!r}, remove one")
            return None
        else:
            stems[name] = Location(path)
    if not stems:
        return None
    return TrackFiles(folder.name, stems, split, song_of(folder.name), mixture)


def song_of(name):
    """Return the song of a clip (`amy_3_07`, `Intro part 2`), or None for another track's name."""
    clip = _CLIP.fullmatch(name)
    return (clip["song"] or clip["whole"]) if clip else None


def _files(folder, skipped):
    for path in audio_files(folder, skipped):
        yield "", path
    for below in subfolders(folder, []):
        for path in audio_files(below, skipped):
            yield f"{below.name.lower()}/", path


def _share_stems(tracks):
    """Return whether most tracks have a stem that another has, too; numbers do not count."""
    if len(tracks) < 2:
        return bool(tracks)
    if all(track.name.lower() in _SOURCES for track in tracks):
        return False
    names = [{stem.split("/")[0] for stem in track.stems} for track in tracks]
    counts = Counter(name for stems in names for name in stems if not name.isdigit())
    sharing = sum(any(counts[name] > 1 for name in stems) for stems in names)
    return 2 * sharing >= len(tracks)
