"""Recognising layouts, and tracks with the same name."""

import pytest

from kerasep.data import find_pool, find_tracks
from kerasep.data.datasets.layouts.recogniser import recognise
from kerasep.errors import InputError


@pytest.mark.parametrize(
    ("files", "layout"),
    [
        (["a/vocals.wav", "b/vocals.wav"], "stems folders"),
        (["a/vocals.wav"], "stems folders"),
        (["train/a/vocals.wav", "test/b/vocals.wav"], "stems folders"),
        (["Sources/Dev/a/bass.wav", "Mixtures/Dev/a/mixture.wav"], "DSD100"),
        (["tr/mix/a.wav", "tr/s1/a.wav", "tr/s2/a.wav"], "mixtures of speakers"),
        (["s1/a.wav", "s2/a.wav"], "mixtures of speakers"),
        (["anna/a1.wav", "bert/b1.wav"], "source folders"),
        (["train/anna/a1.wav", "dev/bert/b1.wav"], "source folders"),
        (["train/drums/1.wav", "train/vocals/1.wav"], "source folders"),
        (["1_anna_1.wav", "2_anna_1.wav", "1_bert_2.wav"], "recordings named by speaker"),
        (["train/1_anna_1.wav", "train/2_anna_1.wav", "test/1_bert_2.wav"], "recordings named by"),
    ],
)
def test_layouts_are_told_apart(tmp_path, record, files, layout):
    record(*files)
    assert recognise(tmp_path).layout.startswith(layout)


def test_what_was_found_in_place_of_what_was_asked_for(tmp_path, record):
    record("voices/anna/a1.wav", "voices/bert/b1.wav", "songs/a/vocals.wav")
    with pytest.raises(InputError, match=r"voices holds source folders .*: expected FOLDER/<tr"):
        find_tracks(tmp_path / "voices")
    with pytest.raises(InputError, match="songs holds stems folders: expected FOLDER/<speaker or"):
        find_pool(tmp_path / "songs")


def test_tracks_of_one_name(tmp_path, record, caplog):
    record("train/a/vocals.wav", "train/b/vocals.wav", "test/a/vocals.wav")
    assert [track.name for track in find_tracks(tmp_path)] == ["b", "test/a", "train/a"]
    (tmp_path / "train" / "b.stem.mp4").touch()
    assert [track.name for track in recognise(tmp_path).tracks] == ["test/a", "train/a", "train/b"]
    assert "there is another track called 'train/b', rename one" in recognise(tmp_path).skipped[0]
