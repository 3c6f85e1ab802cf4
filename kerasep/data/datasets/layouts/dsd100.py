"""DSD100: Mixtures and Sources, each with Dev and Test."""

from dataclasses import replace

from kerasep.data.datasets.layouts.folders import audio_files, subfolders
from kerasep.data.datasets.layouts.found import Found, Location
from kerasep.data.datasets.layouts.stems_folders import track_folder


def dsd100(folder):
    """Find the tracks of DSD100, `Sources/Dev/001 - Artist - Title/vocals.wav`.

    Dev is what one trains on.

    Args:
        folder: the data set.

    Returns:
        `Found` with tracks, or None without folders Mixtures and Sources.
    """
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
    return Found("DSD100", tracks, skipped=skipped) if tracks else None
