"""Pools: recordings by folder or by name, and their splits."""

import os
from pathlib import Path

import numpy as np
import pytest

from kerasep.data import audio, find_pool
from kerasep.data.datasets.pools import Pool, is_pool, split_pool
from kerasep.errors import InputError

RECORDINGS = Path(os.environ.get("KERASEP_AUDIO", "no-recordings"))


def record(path, seconds=0.1):
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(len(str(path))).uniform(-0.3, 0.3, (round(8000 * seconds), 1))
    audio.write(path, samples.astype("float32"), 8000)


def names(pool):
    return {group: [stem.path.stem for stem in stems] for group, stems in pool.groups.items()}


def test_folders_of_speakers_however_deep(tmp_path):
    for name in ("84/1/84-1-0", "84/2/84-2-0", "174/5/174-5-0"):
        record(tmp_path / "train-clean-100" / f"{name}.flac")
    record(tmp_path / "dev-clean" / "251" / "9" / "251-9-0.flac")
    record(tmp_path / "dev-clean" / "84" / "9" / "84-9-0.flac")
    pool = find_pool(tmp_path)
    assert names(pool) == {
        "174": ["174-5-0"],
        "251": ["251-9-0"],
        "84": ["84-9-0", "84-1-0", "84-2-0"],
    }
    assert names(find_pool(tmp_path, "train")) == {"174": ["174-5-0"], "84": ["84-1-0", "84-2-0"]}
    assert sorted(find_pool(tmp_path, split="valid").groups) == ["251", "84"]
    with pytest.raises(InputError, match=r"no split 'test': expected one of train, valid"):
        find_pool(tmp_path, split="test")


@pytest.mark.parametrize(
    ("files", "speakers"),
    [
        (["7_george_12", "7_theo_3", "8_theo_4"], ["george", "theo"]),
        (["p225_001", "p225_002", "p226_001"], ["p225", "p226"]),
        (["84-12-0000", "84-12-0001", "174-50-0000"], ["174", "84"]),
    ],
)
def test_files_named_by_speaker(tmp_path, files, speakers):
    for name in files:
        record(tmp_path / f"{name}.wav")
    pool = find_pool(tmp_path)
    assert list(pool.groups) == speakers
    assert sorted(name for group in names(pool).values() for name in group) == sorted(files)


@pytest.mark.parametrize(
    "files", [["one_anna_x", "two_bert_y"], ["anna", "bert"], ["a_1", "a_1_2"], ["1_1", "2_2"], []]
)
def test_names_that_do_not_tell(tmp_path, files):
    for name in files:
        record(tmp_path / f"{name}.wav")
    with pytest.raises(InputError, match="in a known layout: expected FOLDER/<speaker"):
        find_pool(tmp_path)


def test_files_that_cannot_be_read_are_left_out(tmp_path, caplog):
    record(tmp_path / "theo" / "a.wav")
    record(tmp_path / "lucas" / "b.wav")
    (tmp_path / "lucas" / "c.wav").write_bytes(b"")
    (tmp_path / "anna").mkdir()
    (tmp_path / "anna" / "d.wav").write_text("no audio")
    with caplog.at_level("INFO"):
        assert names(find_pool(tmp_path)) == {"lucas": ["b"], "theo": ["a"]}
    skipped = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(skipped) == 2
    assert "d.wav is not audio" in skipped[0]
    assert "c.wav is empty" in skipped[1]
    assert "2 recordings of lucas, theo, 2 skipped" in caplog.messages[-1]
    for path in tmp_path.glob("*/[ab].wav"):
        path.write_text("no audio")
    with pytest.raises(InputError, match="has 4 recordings and none can be read"):
        find_pool(tmp_path)


def test_what_groups_are_to_a_model():
    pool = Pool("songs", dict.fromkeys(("drums", "vocals", "bass"), ()))
    assert not pool.are_speakers(("vocals", "drums"))
    assert pool.are_speakers(("speaker_1", "speaker_2"))
    with pytest.raises(InputError, match="songs has no recordings of piano, only of drums"):
        pool.are_speakers(("vocals", "piano"))
    with pytest.raises(InputError, match=r"3 speakers .*, too few for mixtures of 4"):
        pool.are_speakers(("1", "2", "3", "4"))


def test_every_tenth_recording_is_held_out(tmp_path):
    for speaker, count in {"anna": 11, "bert": 2, "carl": 1}.items():
        for index in range(count):
            record(tmp_path / speaker / f"{index:02d}.wav")
    pool = find_pool(tmp_path)
    train, valid = pool.hold_out()
    assert names(valid) == {"anna": ["00", "10"], "bert": ["00"]}
    assert names(train)["carl"] == ["00"]
    for group, stems in pool.groups.items():
        assert sorted(train.groups[group] + valid.groups.get(group, ())) == sorted(stems)


def test_splits_for_training(tmp_path):
    for part in ("train", "valid", "test"):
        for group in ("drums", "vocals"):
            record(tmp_path / "own" / part / group / f"{part}.wav")
    train, valid = split_pool(tmp_path / "own", sources=("vocals", "drums"))
    assert names(train) == {"drums": ["train"], "vocals": ["train"]}
    assert names(valid) == {"drums": ["valid"], "vocals": ["valid"]}
    _, valid = split_pool(tmp_path / "own", tmp_path / "own" / "test", ("vocals",))
    assert names(valid) == {"drums": ["test"], "vocals": ["test"]}
    for index in range(2):
        record(tmp_path / "few" / "anna" / f"{index}.wav")
    record(tmp_path / "few" / "bert" / "1.wav")
    pool = find_pool(tmp_path / "few")
    train, valid = split_pool(pool, sources=("speaker_1", "speaker_2"))
    assert (names(train), valid) == ({"anna": ["1"], "bert": ["1"]}, None)
    with pytest.raises(InputError, match="received a list to validate on, expected a folder or a"):
        split_pool(pool, [])
    with pytest.raises(InputError, match="has no recordings of drums"):
        split_pool(pool, find_pool(tmp_path / "own"), ("bert", "drums"))


def test_is_pool(tmp_path):
    for name in ("anna/a1.wav", "bert/b1.wav"):
        record(tmp_path / "voices" / name)
    for name in ("a/bass.wav", "b/bass.wav"):
        record(tmp_path / "songs" / name)
    assert is_pool(tmp_path / "voices")
    assert is_pool(str(tmp_path / "voices"))
    assert is_pool(find_pool(tmp_path / "voices"))
    assert not is_pool(tmp_path / "songs")
    assert not is_pool(tmp_path / "nowhere")
    assert not is_pool([])


@pytest.mark.skipif(not RECORDINGS.exists(), reason="no recordings: set KERASEP_AUDIO")
def test_spoken_digits():
    pool = find_pool(RECORDINGS / "spoken_digits")
    assert list(pool.groups) == ["george", "jackson", "lucas", "nicolas", "theo", "yweweler"]
    assert {len(stems) for stems in pool.groups.values()} == {450}
