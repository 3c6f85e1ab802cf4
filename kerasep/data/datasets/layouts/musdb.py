"""MUSDB18 (`*.stem.mp4`) and MUSDB18-HQ (WAV), with the validation tracks that all agree on."""

from dataclasses import replace

from kerasep.data.datasets.layouts.folders import entries, parts
from kerasep.data.datasets.layouts.found import Found
from kerasep.data.datasets.layouts.stem_mp4 import is_stem_mp4, stem_mp4_track
from kerasep.data.datasets.layouts.stems_folders import stems_folders

_STEMS = {"vocals", "drums", "bass", "other"}
# Of the hundred training tracks, those that the musdb package sets aside.
_VALIDATION = {
    "ANiMAL - Rockshow",
    "Actions - One Minute Smile",
    "Alexander Ross - Goodbye Bolero",
    "Clara Berry And Wooldog - Waltz For My Victims",
    "Fergessen - Nos Palpitants",
    "James May - On The Line",
    "Johnny Lokke - Promises & Lies",
    "Leaf - Summerghost",
    "Meaxic - Take A Step",
    "Patrick Talbot - A Reason To Leave",
    "Skelpolu - Human Mistakes",
    "Traffic Experiment - Sirens",
    "Triviul - Angelsaint",
    "Young Griffo - Pennies",
}


def musdb18(folder):
    """Find the tracks of MUSDB18, `train/Artist - Title.stem.mp4`.

    Args:
        folder: the data set, or its folder train or test.

    Returns:
        `Found` with tracks, or None where there are none, or folders beside them.
    """
    skipped, tracks = [], []
    for split, part in parts(folder, skipped):
        for path in entries(part, skipped):
            if path.is_dir():
                return None
            if is_stem_mp4(path):
                tracks.append(stem_mp4_track(path, split))
    return Found("MUSDB18", _validated(tracks), skipped=skipped) if tracks else None


def musdb18_hq(folder):
    """Find the tracks of MUSDB18-HQ, `train/Artist - Title/vocals.wav`.

    Args:
        folder: the data set, or its folder train or test.

    Returns:
        `Found` with tracks, or None where names or stems are not those of MUSDB18.
    """
    found = stems_folders(folder)
    if not found or not all(
        " - " in track.name
        and track.stems.keys() == _STEMS
        and track.mixture
        and all(place.path.suffix == ".wav" for place in track.stems.values())
        for track in found.tracks
    ):
        return None
    return replace(found, layout="MUSDB18-HQ", tracks=_validated(found.tracks))


def _validated(tracks):
    """Move the validation tracks out of train, which the folder itself may be."""
    held = {track.name for track in tracks if track.split != "test"} & _VALIDATION
    if not held:
        return tracks
    return [
        replace(track, split="valid" if track.name in held else track.split or "train")
        for track in tracks
    ]
