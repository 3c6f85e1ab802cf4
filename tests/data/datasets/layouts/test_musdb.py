"""MUSDB18 and MUSDB18-HQ."""

from kerasep.data import find_tracks
from kerasep.data.datasets.layouts.recogniser import recognise

TRACKS = {
    "train/A Classic Education - NightOwl": "train",
    "train/ANiMAL - Rockshow": "valid",
    "test/Al James - Schoolboy Facination": "test",
}


def test_stem_files(tmp_path):
    for name in TRACKS:
        path = tmp_path / f"{name}.stem.mp4"
        path.parent.mkdir(exist_ok=True)
        path.touch()
    found = recognise(tmp_path)
    assert found.layout == "MUSDB18"
    assert {track.name: track.split for track in found.tracks} == {
        name.split("/")[1]: split for name, split in TRACKS.items()
    }
    stems = found.tracks[0].stems
    streams = {name: place.stream for name, place in stems.items()}
    assert streams == {"drums": 1, "bass": 2, "other": 3, "vocals": 4}
    assert found.tracks[0].mixture.stream == 0
    inside = {track.name: track.split for track in recognise(tmp_path / "train").tracks}
    assert inside == {"A Classic Education - NightOwl": "train", "ANiMAL - Rockshow": "valid"}
    assert [track.split for track in recognise(tmp_path / "test").tracks] == [None]


def test_high_quality(tmp_path, record):
    for name in TRACKS:
        record(*(f"{name}/{stem}.wav" for stem in ("vocals", "drums", "bass", "other", "mixture")))
    found = recognise(tmp_path)
    assert found.layout == "MUSDB18-HQ"
    assert all(track.mixture.path.name == "mixture.wav" for track in found.tracks)
    for name, split in TRACKS.items():
        (track,) = find_tracks(tmp_path, ("vocals", "accompaniment"), split)
        assert (track.name, track.split) == (name.split("/")[1], split)
    record("train/A Classic Education - NightOwl/guitar.wav")
    assert recognise(tmp_path).layout == "stems folders"


def test_stem_files_beside_folders(tmp_path, record):
    record("song/vocals.wav", "song/drums.wav")
    (tmp_path / "Artist - Title.stem.mp4").touch()
    found = recognise(tmp_path)
    assert found.layout == "stems folders"
    assert [track.name for track in found.tracks] == ["Artist - Title", "song"]
