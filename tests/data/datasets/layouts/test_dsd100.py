"""DSD100: mixtures and sources in separate trees."""

from kerasep.data import find_tracks
from kerasep.data.datasets.layouts.recogniser import recognise


def test_dev_is_for_training(tmp_path, record):
    stems = ("bass", "drums", "other", "vocals")
    for name in ("Dev/051 - AM Contra - Heart Peripheral", "Test/001 - ANiMAL - Clinic A"):
        record(f"Mixtures/{name}/mixture.wav", *(f"Sources/{name}/{stem}.wav" for stem in stems))
    found = recognise(tmp_path)
    assert found.layout == "DSD100"
    tracks = find_tracks(tmp_path, stems)
    assert {track.name[:3]: track.split for track in tracks} == {"001": "test", "051": "train"}
    for track in found.tracks:
        assert track.mixture.path.parent.parent.parent.name == "Mixtures"
        assert track.mixture.path.parent.name == track.name
