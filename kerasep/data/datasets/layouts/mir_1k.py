"""MIR-1K: karaoke clips, the accompaniment on the left channel and the voice on the right."""

import re

from kerasep.data import audio
from kerasep.data.datasets.layouts.contents import Contents, Location, TrackFiles
from kerasep.data.datasets.layouts.folders import audio_files
from kerasep.errors import InputError

_CLIP = re.compile(r"(?P<song>(?P<singer>[a-z]+)_\d+)_\d+", re.IGNORECASE)
# As in Huang et al. 2014, "Singing-voice separation from monaural recordings using deep recurrent
# neural networks".
_TRAINING_SINGERS = ("abjones", "amy")


def mir_1k(folder):
    """Return the clips of `Wavfile/singer_song_clip.wav`."""
    skipped, tracks = [], []
    inside = folder / "Wavfile"
    for path in audio_files(inside if inside.is_dir() else folder, skipped):
        clip = _CLIP.fullmatch(path.stem)
        if not clip:
            return None
        stems = {"accompaniment": Location(path, channel=0), "vocals": Location(path, channel=1)}
        split = "train" if clip["singer"].lower() in _TRAINING_SINGERS else "test"
        tracks.append(TrackFiles(path.stem, stems, split, clip["song"]))
    if not any(_is_stereo(track.stems["vocals"].path) for track in tracks[:10]):
        return None
    return Contents("MIR-1K", tracks, skipped=skipped)


def _is_stereo(path):
    try:
        return audio.info(path).channels == 2
    except (InputError, OSError):
        return False
