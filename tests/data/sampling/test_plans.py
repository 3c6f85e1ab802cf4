"""Which tracks of a data set with splits of its own are trained and validated on."""

import csv
import logging
from types import SimpleNamespace

import numpy as np
import pytest

from kerasep import data, training
from kerasep.data.sampling.plans import chosen
from kerasep.errors import InputError

MODEL = SimpleNamespace(
    sources=("vocals",), sample_rate=8000, channels=1, stft={"n_fft": 256, "hop": 64}
)


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """Data sets with all three splits, with two as MUSDB18 has, and with none."""
    root = tmp_path_factory.mktemp("sets")
    for name in ("train", "valid", "test"):
        data.write_songs(root / "three" / name, 3, seconds=0.2, sample_rate=8000)
        data.write_songs(root / "two" / name, 3, seconds=0.2, sample_rate=8000)
    data.write_songs(root / "none", 3, seconds=0.2, sample_rate=8000)
    for path in sorted((root / "two" / "valid").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (root / "two" / "valid").rmdir()
    return root


def names(tracks):
    return [track.name for track in tracks]


def test_training_takes_what_kerasep_train_takes(sets, caplog):
    caplog.set_level(logging.INFO, "kerasep")
    for name in ("three", "two"):
        train, valid = training.split(sets / name, None, MODEL.sources)
        assert chosen(sets / name, training=True) == train
        assert chosen(sets / name, training=False) == valid
        assert {track.split for track in train} == {"train"}
        assert not set(names(train)) & set(names(valid))
    assert "3 tracks to train on, 3 to validate on; now those to train on" in caplog.text
    assert "2 tracks to train on, 1 to validate on; now those to validate on" in caplog.text


def test_a_split_can_be_chosen(sets):
    assert {track.split for track in chosen(sets / "three", True, "test")} == {"test"}
    assert len(chosen(sets / "two", True, "train")) == 3
    assert len(chosen(sets / "three", True, "all")) == 9
    tracks = data.find_tracks(sets / "three")
    assert chosen(tracks, True) == tracks
    assert {track.split for track in chosen(tracks, True, "valid")} == {"valid"}
    with pytest.raises(InputError, match="no split 'valid'"):
        chosen(sets / "two", False, "valid")
    with pytest.raises(InputError, match="split='dev', expected one of train, valid, test, all"):
        chosen(sets / "three", True, "dev")


def test_without_splits_all_is_taken(sets):
    assert len(chosen(sets / "none", training=True)) == 3
    assert len(chosen(sets / "none", training=False)) == 3


def test_batches(sets):
    options = {"batch_size": 1, "crop_seconds": 0.2}
    counts = [
        int(data.waveforms(sets / name, MODEL, training=training, **options).cardinality())
        for name in ("three", "two", "none")
        for training in (True, False)
    ]
    assert counts == [3, 3, 2, 1, 3, 3]
    assert len(list(data.spectrograms(sets / "three", MODEL, split="all", **options))) == 9


def test_a_manifest_with_a_column_of_splits(tmp_path):
    path = tmp_path / "manifest.csv"
    with open(path, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["track", "stem", "path", "split"])
        for number, split in enumerate(("train", "train", "valid", "test")):
            for stem in ("vocals", "bass"):
                name = f"{stem}{number}.wav"
                data.write(tmp_path / name, np.full((800, 1), 0.1, "float32"), 8000)
                rows.writerow([f"song{number}", stem, name, split])
    assert names(chosen(path, training=True)) == ["song0", "song1"]
    assert names(chosen(path, training=False)) == ["song2"]
    assert names(chosen(tmp_path, True, "test")) == ["song3"]


def test_pools(tmp_path):
    for split, count in (("train", 3), ("test", 2)):
        for speaker in ("anna", "bert"):
            for number in range(count):
                path = tmp_path / split / speaker / f"{number}.wav"
                path.parent.mkdir(parents=True, exist_ok=True)
                data.write(path, np.full((800, 1), 0.1, "float32"), 8000)

    def paths(pool):
        return {
            stem.path.relative_to(tmp_path).as_posix()
            for stems in pool.groups.values()
            for stem in stems
        }

    train, valid = chosen(tmp_path, training=True), chosen(tmp_path, training=False)
    assert {path.split("/")[0] for path in paths(train) | paths(valid)} == {"train"}
    assert not paths(train) & paths(valid)
    assert len(paths(chosen(tmp_path, True, "test"))) == 4
    assert len(paths(chosen(tmp_path, True, "all"))) == 10
    model = SimpleNamespace(sources=("one", "two"), sample_rate=8000, channels=1)
    batches = data.waveforms(tmp_path, model, batch_size=1, crop_seconds=0.1, crops_per_track=1)
    assert len(list(batches)) == 2


def test_a_prepared_folder_was_split_before(sets, tmp_path):
    data.prepare(sets / "three", tmp_path / "shards", MODEL)
    options = {"batch_size": 1, "crop_seconds": 0.2}
    assert len(list(data.waveforms(tmp_path / "shards", MODEL, **options))) == 3
    with pytest.raises(InputError, match="split='test' for the prepared"):
        data.waveforms(tmp_path / "shards", MODEL, split="test", **options)
