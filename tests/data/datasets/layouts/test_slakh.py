"""Slakh: stems named by the instruments in their metadata."""

import numpy as np
import pytest

from kerasep.data import audio, find_tracks
from kerasep.data.datasets.layouts.recogniser import recognise

METADATA = """
UUID: 1a81ae092884234f3264e2f45927f00a
audio_dir: stems
normalized: true
overall_gain: 0.18270259567062658
stems:
  S00: {audio_rendered: true, inst_class: Guitar, is_drum: false, plugin_name: a.nkm}
  S01: {audio_rendered: true, inst_class: Synth Pad, is_drum: false}
  S02: {audio_rendered: true, inst_class: Guitar, is_drum: false}
  S03: {audio_rendered: false, inst_class: Piano, is_drum: false}
  S04: {audio_rendered: true, inst_class: Drums, is_drum: true}
"""


def write_track(tmp_path, record, name, metadata=METADATA):
    record(f"{name}/mix.flac", *(f"{name}/stems/S0{stem}.flac" for stem in (0, 1, 2, 4)))
    (tmp_path / name / "metadata.yaml").write_text(metadata)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_metadata_with_a_byte_order_mark(tmp_path, record, encoding):
    write_track(tmp_path, record, "Track00001")
    (tmp_path / "Track00001" / "metadata.yaml").write_text(METADATA, encoding)
    assert [track.name for track in recognise(tmp_path).tracks] == ["Track00001"]


def test_stems_are_grouped_by_instrument(tmp_path, record):
    for split in ("train", "validation", "test"):
        write_track(tmp_path, record, f"{split}/Track0000{len(split)}")
    found = recognise(tmp_path)
    assert found.layout == "Slakh"
    assert [track.split for track in found.tracks] == ["test", "train", "valid"]
    assert found.tracks[0].mixture.path.name == "mix.flac"
    track = find_tracks(tmp_path, ("guitar", "drums", "synth_pad"))[0]
    assert sorted(track.stems) == ["drums/s04", "guitar/s00", "guitar/s02", "synth_pad/s01"]
    folder = track.stems["drums/s04"].path.parent
    parts = [audio.read(folder / f"{name}.flac")[0] for name in ("S00", "S02")]
    _, stems = track.read(("guitar",), 8000, 1)
    np.testing.assert_allclose(stems[:, :, 0], sum(parts), atol=1e-6)


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ("stems: [1, 2]", "does not list stems with inst_class"),
        ("stems: {S00: {}}", "does not list stems with inst_class"),
        ("{", "does not list stems with inst_class"),
        ("", "does not list stems with inst_class"),
        ("!!python/object/apply:os.getcwd []", "does not list stems with inst_class"),
        (METADATA.replace("S04", "S09"), "there is no S09 in its folder stems"),
        ("stems: {}", "lists no stems"),
    ],
)
def test_tracks_with_other_metadata_are_left_out(tmp_path, record, caplog, metadata, said):
    write_track(tmp_path, record, "Track00001")
    write_track(tmp_path, record, "Track00002", metadata)
    assert [track.name for track in find_tracks(tmp_path)] == ["Track00001"]
    assert said in caplog.text
