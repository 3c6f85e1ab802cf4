"""The index of headers: files that have not changed are not opened again."""

import json
import multiprocessing
import os
import time
from types import SimpleNamespace

import numpy as np
import pytest

from kerasep.data import audio, check, find_pool, find_tracks
from kerasep.data.datasets import header_index
from kerasep.data.datasets.pools import Pool

RATE = 8000
OLD = time.time_ns() - 10**11  # long before the tests


def record(path, seconds=0.1, rate=RATE, modified=OLD):
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(len(str(path))).uniform(-0.3, 0.3, (round(rate * seconds), 1))
    audio.write(path, noise.astype("float32"), rate, overwrite=True)
    os.utime(path, ns=(modified, modified))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The folder of indices, which are written for any number of files."""
    monkeypatch.setenv("KERASEP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(header_index, "_FEWEST", 1)
    return tmp_path / "cache" / "data"


@pytest.fixture
def words(tmp_path):
    """Four recordings of two speakers."""
    for name in ("theo/1", "theo/2", "lucas/1", "lucas/2"):
        record(tmp_path / "words" / f"{name}.wav")
    return tmp_path / "words"


@pytest.fixture
def opened(monkeypatch):
    """Names of the files whose headers are read, sorted, since the last call."""
    paths, info = [], audio.info

    def counted(path, stream=0):
        paths.append(path)
        return info(path, stream)

    def since():
        names = sorted(f"{path.parent.name}/{path.stem}" for path in paths)
        paths.clear()
        return names

    monkeypatch.setattr(audio, "info", counted)
    return since


def test_headers_are_read_once(words, cache, opened, monkeypatch):
    first = find_pool(words)
    assert opened() == ["lucas/1", "lucas/2", "theo/1", "theo/2"]
    assert find_pool(words) == first
    monkeypatch.chdir(words)
    relative = find_pool(".")
    assert relative.duration == first.duration == pytest.approx(0.4)
    assert check(words).seconds == pytest.approx(0.4)
    assert opened() == []
    assert [path.suffix for path in cache.iterdir()] == [".msgpack"]


def test_a_changed_file_is_read_again(words, cache, opened):
    find_pool(words)
    opened()
    record(words / "theo/1.wav", seconds=0.3)
    record(words / "lucas/2.wav", rate=2 * RATE, seconds=0.05, modified=OLD + 1)  # of the same size
    pool = find_pool(words)
    assert opened() == ["lucas/2", "theo/1"]
    assert pool.groups["theo"][0].info.seconds == pytest.approx(0.3)
    assert pool.groups["lucas"][1].info.sample_rate == 2 * RATE
    find_pool(words)
    assert opened() == []


def test_a_file_that_has_just_changed_is_read_every_time(words, cache, opened, monkeypatch):
    now = time.time_ns()
    monkeypatch.setattr(header_index, "time", SimpleNamespace(time_ns=lambda: now))
    record(words / "theo/1.wav", modified=now)
    for expected in (["lucas/1", "lucas/2", "theo/1", "theo/2"], ["theo/1"]):
        find_pool(words)
        assert opened() == expected


def test_a_removed_file_is_gone_from_the_index(words, cache):
    find_pool(words)
    (words / "theo/1.wav").unlink()
    record(words / "theo/3.wav")
    assert [stem.path.stem for stem in find_pool(words).groups["theo"]] == ["2", "3"]
    (index,) = cache.iterdir()
    assert b"theo/1.wav" not in index.read_bytes()
    assert b"theo/3.wav" in index.read_bytes()


def test_parts_of_a_data_set_share_an_index(tmp_path, cache, opened):
    for split in ("train", "valid"):
        for number in (1, 2):
            record(tmp_path / "songs" / split / f"{split} {number}" / "vocals.wav")
    for split in ("train", "valid", "train", "valid"):
        find_tracks(tmp_path / "songs", split=split)
    assert opened() == ["train 1/vocals", "train 2/vocals", "valid 1/vocals", "valid 2/vocals"]


def test_a_manifest_of_files_elsewhere(tmp_path, words, cache, opened):
    files = {"vocals": "../words/theo/1.wav", "drums": str(words / "lucas/1.wav")}
    manifest = tmp_path / "sets" / "manifest.json"
    manifest.parent.mkdir()
    manifest.write_text(json.dumps({"tracks": [{"name": "one", "stems": files}]}))
    for expected in (["lucas/1", "theo/1"], []):
        assert find_tracks(manifest)[0].duration == pytest.approx(0.1)
        assert opened() == expected


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-5],
        lambda content: b"not an index",
        lambda content: content.replace(b"headers 1", b"headers 0"),
        lambda content: content.replace(b"/words", b"/wordz"),
    ],
)
def test_a_damaged_or_foreign_index_is_written_again(words, cache, opened, damage, caplog):
    caplog.set_level("INFO", "kerasep")
    find_pool(words)
    (index,) = cache.iterdir()
    good = index.read_bytes()
    index.write_bytes(damage(good))
    opened()
    assert find_pool(words).duration == pytest.approx(0.4)
    assert len(opened()) == 4
    assert "is not used and written again" in caplog.text
    assert index.read_bytes() == good


def test_a_cache_that_cannot_be_written(words, cache, opened, caplog):
    caplog.set_level("INFO", "kerasep")
    cache.parent.write_bytes(b"a file where the folder should be")
    assert find_pool(words).duration == pytest.approx(0.4)
    assert "headers are read again next time" in caplog.text


def test_without_a_home_folder(words, cache, opened, monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(header_index, "cache_folder", homeless)
    for _ in range(2):
        assert find_pool(words).duration == pytest.approx(0.4)
        assert len(opened()) == 4


def test_a_file_that_cannot_be_read_is_named_every_time(words, cache, caplog):
    (words / "theo/2.wav").write_bytes(b"not audio")
    for _ in range(2):
        caplog.clear()
        assert len(find_pool(words).groups["theo"]) == 1
        assert "is not audio that can be read" in caplog.text


def test_few_files_need_no_index(words, tmp_path, monkeypatch):
    monkeypatch.setenv("KERASEP_CACHE", str(tmp_path / "cache"))
    find_pool(words)
    assert not (tmp_path / "cache").exists()


def _find_often(folder):
    header_index._FEWEST = 1
    durations = []
    for number in range(10):
        durations.append(find_pool(folder).duration)
        os.utime(folder / "theo/1.wav", ns=(OLD + number, OLD + number))
    return durations


def test_two_processes_at_once(words, cache, opened):
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        for durations in pool.map(_find_often, [words, words]):
            assert durations == pytest.approx([0.4] * 10)
    find_pool(words)  # which completes the index
    opened()
    find_pool(words)
    assert opened() == []
    assert [path.suffix for path in cache.iterdir()] == [".msgpack"]


def test_holding_out_keeps_every_recording():
    pool = Pool("numbers", {"one": tuple(range(25)), "two": (1,)})
    kept, held = pool.hold_out()
    assert held.groups == {"one": (0, 10, 20)}
    assert len(kept.groups["one"]) == 22
    assert kept.groups["two"] == (1,)
