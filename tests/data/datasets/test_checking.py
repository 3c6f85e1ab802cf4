"""Checks of a data set: measurements and problems."""

import csv
import threading
import time
import tracemalloc

import numpy as np
import pytest
import soundfile

from kerasep.data import audio, check
from kerasep.data.audio.meters import Meter
from kerasep.data.datasets.checking import write_csv
from kerasep.errors import InputError

RATE = 8000


def noise(seed, seconds=0.5, channels=1):
    values = np.random.default_rng(seed).uniform(-0.4, 0.4, (round(RATE * seconds), channels))
    return values.astype("float32")


def write_track(folder, seed=0, with_mixture=True, **changed):
    folder.mkdir(parents=True)
    stems = {name: noise([seed, index]) for index, name in enumerate(("vocals", "bass"))}
    if with_mixture:
        stems["mixture"] = sum(stems.values())
    for name, samples in (stems | changed).items():
        audio.write(folder / f"{name}.wav", samples, RATE)


@pytest.fixture
def songs(tmp_path):
    folder = tmp_path / "songs"
    for index in range(3):
        write_track(folder / f"good {index}", index)
    return folder


def problems(folder):
    return {(problem.kind, problem.where): problem.text for problem in check(folder).problems}


def test_a_set_without_problems(songs):
    shares = []
    found = check(songs, shares.append)
    assert (found.layout, found.is_pool, found.problems) == ("stems folders", False, [])
    assert found.tracks == found.usable == ["good 0", "good 1", "good 2"]
    assert found.seconds == pytest.approx(1.5)
    assert len(found.recordings) == 9
    assert len(found.stems) == 6
    assert all(snr > 100 for snr in found.sums.values())
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    vocals = next(one for one in found.recordings if one.stem == "vocals")
    samples, _ = audio.read(songs / "good 0" / "vocals.wav")
    assert vocals.rms_db == pytest.approx(20 * np.log10(np.sqrt(np.square(samples).mean())))
    assert vocals.peak_db == pytest.approx(20 * np.log10(np.abs(samples).max()))
    (bass, mixture, _) = found.summary()
    assert (bass["name"], bass["recordings"], bass["seconds"]) == ("bass", 3, 1.5)
    assert mixture["name"] == "mixture"
    assert found.count("sample_rate") == {RATE: 9}


def test_a_table_of_any_names(tmp_path):
    names = ("=1+1", "-x", "caf\udce9", "a\nb", "\x1b[31m", "-3.2")
    for number, name in enumerate(names):
        write_track(tmp_path / "s\udcff" / name, number)
    write_csv(check(tmp_path / "s\udcff"), tmp_path / "table.csv")
    with open(tmp_path / "table.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    shown = {"'=1+1", "'-x", "caf\\xe9", "a\\nb", "\\x1b[31m", "-3.2"}
    assert {row["track"] for row in rows} == shown
    assert all(row["path"].startswith(f"{tmp_path}/s\\xff/") for row in rows)
    assert all(float(row["peak_db"]) < 0 for row in rows)


@pytest.mark.parametrize("name", ["a\\u0000.wav", "\\ud800.wav"])
def test_names_that_no_file_can_have(tmp_path, name):
    path = tmp_path / "manifest.json"
    path.write_text(f'{{"tracks": [{{"name": "a", "stems": {{"b": "{name}"}}}}]}}')
    (problem,) = check(path).problems
    assert problem.kind == "unreadable"
    assert problem.text.endswith(
        f"{name.replace('u0000', 'x00')} is missing: expected an audio file, check the path"
    )


def test_what_is_wrong_with_a_recording(songs):
    loud = noise(9)
    loud[100:110] = 1
    write_track(songs / "clipped", 10, with_mixture=False, vocals=loud)
    write_track(songs / "silent", 11, with_mixture=False, vocals=0 * loud)
    write_track(songs / "damaged", 12, with_mixture=False)
    whole = (songs / "damaged" / "bass.wav").read_bytes()
    (songs / "damaged" / "bass.wav").write_bytes(whole[:5000])
    found = problems(songs)
    assert found.keys() == {
        ("clipped", "clipped/vocals"),
        ("silent", "silent/vocals"),
        ("unreadable", "damaged/bass"),
    }
    assert found["clipped", "clipped/vocals"] == "8 samples in runs at full scale"
    assert "is truncated" in found["unreadable", "damaged/bass"]
    assert "damaged" not in check(songs).usable
    assert check(songs).seconds == pytest.approx(2.5)


def test_audio_that_is_there_twice(songs):
    write_track(songs / "copy", 0, with_mixture=False, bass=noise(77))
    samples, _ = audio.read(songs / "good 0" / "vocals.wav")
    (songs / "copy" / "vocals.wav").unlink()
    soundfile.write(songs / "copy" / "vocals.wav", samples, RATE, "DOUBLE")
    for name in ("silent 1", "silent 2"):
        write_track(songs / name, 7, bass=np.zeros((4000, 1), "float32"), with_mixture=False)
    found = problems(songs)
    assert found["duplicate", "good 0/vocals"] == "the same audio as copy/vocals"
    assert found["duplicate", "silent 2/vocals"] == "the same audio as silent 1/vocals"
    assert {kind for kind, _ in found} == {"duplicate", "silent"}


def test_the_same_audio_in_two_splits(tmp_path):
    for split in ("train", "test"):
        write_track(tmp_path / split / "song", 0)
    found = problems(tmp_path)
    text = found["duplicate", "train/song/bass"]
    assert text == "the same audio as test/song/bass (test and train)"


def test_stems_that_do_not_add_up(songs):
    stems = [noise([20, 0]), noise([20, 1])]
    write_track(songs / "quiet", 20, mixture=sum(stems) * np.float32(0.7))
    write_track(songs / "other", 21, mixture=noise(5))
    write_track(songs / "late", 22, mixture=np.roll(noise([22, 0]) + noise([22, 1]), 1, axis=0))
    write_track(songs / "rounded", 23)
    samples, _ = audio.read(songs / "rounded" / "mixture.wav")
    soundfile.write(songs / "rounded" / "mixture.wav", samples, RATE, "PCM_16")
    found = problems(songs)
    assert found.keys() == {("sum", "quiet"), ("sum", "other"), ("sum", "late")}
    assert found["sum", "quiet"].endswith("; it is 0.70 times their sum")
    assert found["sum", "other"].startswith("the stems do not add up to the mixture, which is -")
    assert 60 < check(songs).sums["rounded"] < 120


def test_tracks_whose_files_do_not_go_together(songs):
    write_track(songs / "short", 30, with_mixture=False, vocals=noise(1, seconds=0.3))
    write_track(songs / "wide", 31, bass=noise([31, 1], channels=2))
    write_track(songs / "fast", 32)
    samples, _ = audio.read(songs / "fast" / "bass.wav")
    soundfile.write(songs / "fast" / "bass.wav", samples, 2 * RATE)
    write_track(songs / "less", 33, with_mixture=False)
    (songs / "less" / "bass.wav").unlink()
    found = problems(songs)
    assert found["lengths", "short"] == "vocals lasts 0.30 s, bass 0.50 s"
    assert found["channels", "wide"] == "files differ: 1 of 2 channels, 2 of 1 channels"
    assert found["rates", "fast"] == "files differ: 1 of 16000 Hz, 2 of 8000 Hz"
    assert found["missing", "less"] == "no stem bass, which 6 tracks have"
    assert "fast" not in check(songs).sums
    assert check(songs).usable == check(songs).tracks


def test_what_was_left_aside_is_a_problem(songs):
    (songs / "loose.wav").write_bytes(b"")
    (songs / "gone").symlink_to("nowhere")
    assert problems(songs) == {
        ("skipped", str(songs / "gone")): "No such file or directory",
        ("skipped", str(songs / "loose.wav")): "not in the folder of a track",
    }


def test_recordings_without_mixtures(tmp_path):
    for index, name in enumerate(("anna/1", "anna/2", "bert/1", "bert/3")):
        path = tmp_path / f"{name}.wav"
        path.parent.mkdir(exist_ok=True)
        audio.write(path, noise(index, seconds=0.1 * (index + 1)), RATE)
    (tmp_path / "bert" / "2.wav").write_bytes(b"")
    found = check(tmp_path)
    assert found.is_pool
    assert found.usable == ["anna", "bert"]
    assert found.seconds == pytest.approx(1.0)
    assert [(p.kind, p.where) for p in found.problems] == [("unreadable", "bert/2.wav")]
    assert [(row["name"], row["recordings"]) for row in found.summary()] == [
        ("anna", 2),
        ("bert", 2),
    ]


def test_the_table(songs, tmp_path):
    (songs / "good 0" / "bass.wav").write_text("no audio")
    write_csv(check(songs), tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 9
    bad = [row for row in rows if row["error"]]
    assert [(row["track"], row["stem"], row["seconds"]) for row in bad] == [("good 0", "bass", "")]
    good = next(row for row in rows if not row["error"])
    assert (good["sample_rate"], good["seconds"], good["split"]) == ("8000", "0.5000", "")


def test_nothing_is_there(tmp_path):
    with pytest.raises(InputError, match="has no track or recording in a known layout"):
        check(tmp_path)
    write_track(tmp_path / "a", with_mixture=False)
    for path in tmp_path.glob("a/*"):
        path.write_bytes(b"")
    found = check(tmp_path)
    assert (found.usable, found.seconds, found.sums) == ([], 0, {})
    assert len(found.problems) == 2


def test_memory_stays_flat(tmp_path):
    (tmp_path / "long").mkdir()
    seconds = 600
    for name in ("vocals", "mixture"):
        samples = np.random.default_rng(0).integers(-9000, 9000, RATE * seconds, "int16")
        soundfile.write(tmp_path / "long" / f"{name}.wav", samples, RATE)
    tracemalloc.start()
    try:
        found = check(tmp_path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.sums["long"] > 100
    assert peak < 6e6  # of 38 MB as float32


def test_a_failure_ends_all_at_once(songs, monkeypatch):
    monkeypatch.setattr("kerasep.data.datasets.checking._BLOCK", 64)
    blocks, failed = [], threading.Event()

    def fail(meter, block):
        blocks.append(block)
        if not failed.is_set():
            failed.set()
            raise KeyboardInterrupt
        time.sleep(0.05)

    monkeypatch.setattr(Meter, "add", fail)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    with pytest.raises(KeyboardInterrupt):
        check(songs)
    # Another track has 190 blocks, for which a thread would sleep nine seconds.
    assert len(blocks) < 100
