"""MUSDB18 (`*.stem.mp4`) and MUSDB18-HQ (WAV), with the usual validation tracks."""

from dataclasses import replace

from kerasep.data.datasets.layouts.contents import Contents
from kerasep.data.datasets.layouts.folders import entries, split_folders
from kerasep.data.datasets.layouts.stems_folders import stem_mp4_track, stems_folders

_STEMS = {"vocals", "drums", "bass", "other"}
# The training tracks that the musdb package uses for validation.
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
    """Return the tracks of `train/Artist - Title.stem.mp4`, or None with folders beside them."""
    skipped, tracks = [], []
    for split, part in split_folders(folder, skipped):
        for entry in entries(part, skipped):
            if entry.is_dir:
                return None
            if entry.is_stem_mp4:
                tracks.append(stem_mp4_track(entry.path, split))
    return Contents("MUSDB18", _with_validation(tracks), skipped=skipped) if tracks else None


def musdb18_hq(folder):
    """Return the tracks of `train/Artist - Title/vocals.wav`, or None with other names or stems."""
    contents = stems_folders(folder)
    if not contents or not all(
        " - " in track.name
        and track.stems.keys() == _STEMS
        and track.mixture
        and all(place.path.suffix == ".wav" for place in track.stems.values())
        for track in contents.tracks
    ):
        return None
    return replace(contents, layout="MUSDB18-HQ", tracks=_with_validation(contents.tracks))


def _with_validation(tracks):
    """Return tracks with the split "valid" for the validation tracks of train."""
    validation = {track.name for track in tracks if track.split != "test"} & _VALIDATION
    if not validation:
        return tracks
    return [
        replace(track, split="valid" if track.name in validation else track.split or "train")
        for track in tracks
    ]
