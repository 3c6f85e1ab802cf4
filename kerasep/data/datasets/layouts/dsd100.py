"""DSD100: Mixtures and Sources, each with Dev (for training) and Test."""

from dataclasses import replace

from kerasep.data.datasets.layouts.contents import Contents, Location
from kerasep.data.datasets.layouts.folders import audio_files, subfolders
from kerasep.data.datasets.layouts.stems_folders import track_folder


def dsd100(folder):
    """Return the tracks of `Sources/Dev/001 - Artist - Title/vocals.wav`."""
    mixtures, sources = folder / "Mixtures", folder / "Sources"
    if not mixtures.is_dir() or not sources.is_dir():
        return None
    skipped, tracks = [], []
    for split, name in (("train", "Dev"), ("test", "Test")):
        if not (sources / name).is_dir():
            continue
        for path in subfolders(sources / name, skipped):
            track = track_folder(path, split, skipped)
            mixture = mixtures / name / path.name
            files = audio_files(mixture, skipped) if mixture.is_dir() else []
            if track:
                tracks.append(replace(track, mixture=Location(files[0]) if files else None))
    return Contents("DSD100", tracks, skipped=skipped) if tracks else None
