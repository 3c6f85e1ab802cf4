"""Tracks to train on and to validate on."""

import shutil

import numpy as np
import pytest

from kerasep import data, training
from kerasep.errors import InputError


def names(tracks):
    return [track.name for track in tracks]


def test_songs(songs):
    tracks = data.find_tracks(songs)
    assert training.split(songs, None, ["vocals"]) == (tracks[1:], tracks[:1])
    assert training.split(tracks[:1], None, ["vocals"]) == (tracks[:1], [])
    assert training.split(tracks[:2], tracks[2:], ["vocals"]) == (tracks[:2], tracks[2:])
    train, valid = training.split(tracks * 8, None, ["vocals"])
    assert not set(names(train)) & set(names(valid))


def test_recordings_without_mixtures(tmp_path):
    for speaker in ("anna", "bert"):
        for number in range(3):
            path = tmp_path / speaker / f"{number}.wav"
            path.parent.mkdir(exist_ok=True)
            data.write(path, np.full((800, 1), 0.1 * number, "float32"), 8000)
    train, valid = training.split(tmp_path, None, ["speaker_1", "speaker_2"])
    assert [len(stems) for stems in train.groups.values()] == [2, 2]
    assert [len(stems) for stems in valid.groups.values()] == [1, 1]
    with pytest.raises(InputError, match="too few for mixtures of 3"):
        training.split(tmp_path, None, ["1", "2", "3"])


def test_a_data_set_with_splits(tmp_path):
    for name in ("train", "valid", "test"):
        data.write_songs(tmp_path / "songs" / name, 2, seconds=0.1)
    songs, sources = tmp_path / "songs", ["vocals"]
    train, valid = training.split(songs, None, sources)
    assert names(train) == ["train/song_0000", "train/song_0001"]
    assert names(valid) == ["valid/song_0000", "valid/song_0001"]
    train, valid = training.split(songs, songs / "test", sources)
    assert names(train) == ["train/song_0000", "train/song_0001"]
    assert names(valid) == ["song_0000", "song_0001"]
    shutil.rmtree(songs / "valid")
    train, valid = training.split(songs, None, sources)
    assert (names(train), names(valid)) == (["train/song_0001"], ["train/song_0000"])
    # A split that was requested by itself is used, whatever its name.
    chosen = data.find_tracks(songs, split="test")
    assert training.split(chosen, None, sources) == (chosen[1:], chosen[:1])
