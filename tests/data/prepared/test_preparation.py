"""Preparing: what is written is what was read; stopped at any moment, it goes on."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from kerasep.data import audio, find_tracks, prepare, write_songs
from kerasep.data.prepared import layout, preparation, shards
from kerasep.errors import InputError

RATE = 8000
STFT = {"n_fft": 256, "hop": 64, "window": "hann"}


def signal_of(sources=("vocals", "bass"), channels=1, sample_rate=RATE, stft=STFT):
    return SimpleNamespace(sources=sources, sample_rate=sample_rate, channels=channels, stft=stft)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "songs"
    write_songs(folder, 3, seconds=2.0, sample_rate=RATE)
    return folder


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("format", layout.FORMATS)
def test_two_calls_write_the_same_bytes(folder, tmp_path, format):
    first = prepare(folder, tmp_path / "a", signal_of(), format=format, shard_bytes=1)
    prepare(folder, tmp_path / "b", signal_of(), format=format, shard_bytes=1, workers=1)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert [len(first[part]["shards"]) for part in ("train", "valid")] == [2, 1]
    assert first["settings"]["rest"]
    for part in ("train", "valid"):
        for entry in first[part]["shards"]:
            assert (tmp_path / "a" / entry["file"]).stat().st_size == entry["bytes"]


def test_the_estimate_is_what_is_written(folder, tmp_path):
    for format in layout.FORMATS:
        plan = shards.plan(find_tracks(folder), signal_of(), format=format)
        out = tmp_path / format
        preparation.carry_out(plan, out)
        assert plan.bytes == sum(path.stat().st_size for path in out.glob("*.tfrecord"))


def test_what_rounding_loses_is_measured(folder, tmp_path):
    """float16 keeps eleven bits whatever the level; int16 loses nothing of 16-bit files."""
    lost = {
        format: prepare(folder, tmp_path / format, signal_of(), format=format)["snr_db"]
        for format in layout.FORMATS
    }
    assert lost["int16"] > 75
    assert 70 < lost["float16"] < 77
    assert 70 < lost["spectrogram"] < 77
    (tmp_path / "sixteen" / "song").mkdir(parents=True)
    noise = np.random.default_rng(0).integers(-32768, 32768, (RATE, 1)) / 32768
    import soundfile

    soundfile.write(tmp_path / "sixteen" / "song" / "vocals.wav", noise, RATE, "PCM_16")
    index = prepare(tmp_path / "sixteen", tmp_path / "exact", signal_of(("vocals",)))
    assert index["snr_db"] is None


def test_nothing_is_clipped(tmp_path):
    loud = np.linspace(-3, 3, RATE, dtype="float32")[:, None]
    (tmp_path / "songs" / "song").mkdir(parents=True)
    audio.write(tmp_path / "songs" / "song" / "vocals.wav", loud, RATE)
    index = prepare(tmp_path / "songs", tmp_path / "out", signal_of(("vocals",)))
    ((segment,),) = [entry["segments"] for entry in index["train"]["shards"]]
    assert segment["scales"][0] == pytest.approx(3 / 32767, rel=1e-4)
    assert index["snr_db"] > 85


def test_long_tracks_are_cut_into_segments(folder, monkeypatch):
    monkeypatch.setattr(layout, "_SEGMENT_SECONDS", 0.9)
    plan = shards.plan(find_tracks(folder), signal_of(), [])
    segments = [segment for shard in plan.shards for segment in shard]
    assert [segment.track for segment in segments] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    for number in range(3):
        mine = [segment for segment in segments if segment.track == number]
        assert [segment.start for segment in mine] == [0, 5333, 10666]
        assert sum(segment.samples for segment in mine) == 2 * RATE


def test_goes_on_where_it_was_stopped(folder, tmp_path, monkeypatch):
    out = tmp_path / "out"
    prepare(folder, out, signal_of(), shard_bytes=1)
    whole = contents(out)
    names = sorted(path.name for path in out.glob("*.tfrecord"))
    # One lacks its description, one is cut, one is as it was: only the latter is kept.
    (out / names[0]).with_suffix(".json").unlink()
    (out / names[1]).write_bytes(whole[names[1]][:-100])
    (out / f".{names[0]}.99.partial").write_bytes(b"half")
    (out / layout.INDEX).unlink()
    written = []
    write = shards.write_shard
    monkeypatch.setattr(
        shards,
        "write_shard",
        lambda plan, index, out: written.append(index) or write(plan, index, out),
    )
    shares = []
    prepare(folder, out, signal_of(), shard_bytes=1, workers=1, progress=shares.append)
    assert written == [0, 1]
    assert contents(out) == whole
    assert shares[0] == pytest.approx(1 / 3, abs=0.01)
    assert shares[-1] == 1.0
    # A flipped bit is found, too.
    flipped = bytearray(whole[names[2]])
    flipped[1000] ^= 4
    (out / names[2]).write_bytes(bytes(flipped))
    prepare(folder, out, signal_of(), shard_bytes=1)
    assert contents(out) == whole


KILLED = """
import itertools, sys, time
from types import SimpleNamespace
from kerasep.data import preparation, prepare, shards

write, count = shards._write_group, itertools.count(1)
def until(*arguments):
    print("group", flush=True)
    if next(count) == int(sys.argv[3]):
        time.sleep(600)
    return write(*arguments)

shards._write_group = until
model = SimpleNamespace(sources=("vocals", "bass"), sample_rate=8000, channels=1, stft=None)
prepare(sys.argv[1], sys.argv[2], model, shard_bytes=1, workers=1)
"""


@pytest.mark.parametrize("groups", [4])
def test_killed_at_any_moment_it_goes_on(folder, tmp_path, groups):
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(folder), str(out), str(groups)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(groups):
        assert process.stdout.readline() == b"group\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not (out / layout.INDEX).exists()
    before = {path.name: path.stat().st_mtime_ns for path in out.glob("*.tfrecord")}
    assert len(before) == groups // 3
    prepare(folder, out, signal_of(stft=None), shard_bytes=1)
    prepare(folder, tmp_path / "unbroken", signal_of(stft=None), shard_bytes=1)
    assert contents(out) == contents(tmp_path / "unbroken")
    for name, written in before.items():
        assert (out / name).stat().st_mtime_ns == written


def test_a_track_that_cannot_be_read_is_left_out(folder, tmp_path, caplog):
    songs = tmp_path / "songs"
    shutil.copytree(folder, songs)
    plan = shards.plan(find_tracks(songs), signal_of(), [])
    (songs / plan.tracks[1].name / "bass.flac").write_text("no audio")
    index = preparation.carry_out(plan, tmp_path / "out")
    ((skip,)) = index["skipped"]
    assert skip["track"] == plan.tracks[1].name
    assert "bass.flac is not audio" in skip["reason"]
    assert "is left out" in caplog.text
    named = {
        segment["track"] for shard in index["train"]["shards"] for segment in shard["segments"]
    }
    assert named == {plan.tracks[0].name, plan.tracks[2].name}


def test_refuses_when_no_track_can_be_read(folder, tmp_path):
    songs = tmp_path / "songs"
    shutil.copytree(folder, songs)
    plan = shards.plan(find_tracks(songs), signal_of())
    for path in songs.rglob("bass.flac"):
        path.write_text("no audio")
    with pytest.raises(InputError, match=r"no track could be read: .*bass\.flac is not audio"):
        preparation.carry_out(plan, tmp_path / "out")
    assert not (tmp_path / "out" / layout.INDEX).exists()


def test_refuses_a_disk_without_room(folder, tmp_path, monkeypatch):
    usage = SimpleNamespace(free=1 << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(InputError, match="needs 0 MiB, the disk has 1 MiB free: make room"):
        prepare(folder, tmp_path / "deep" / "out", signal_of())
    assert not (tmp_path / "deep").exists()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"format": "float16"}, r"another format \(int16, now float16\)"),
        ({"model": signal_of(sample_rate=4000)}, r"another sample_rate \(8000, now 4000\)"),
        ({"shard_bytes": 1}, "another set of shards"),
    ],
)
def test_refuses_other_settings_in_a_folder(folder, tmp_path, changed, message):
    prepare(folder, tmp_path, signal_of())
    before = contents(tmp_path)
    options = {"model": signal_of(), **changed}
    with pytest.raises(InputError, match=message):
        prepare(folder, tmp_path, **options)
    assert contents(tmp_path) == before


def test_refuses_a_folder_of_other_files(folder, tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="holds other files"):
        prepare(folder, tmp_path, signal_of())
    (tmp_path / "letter.txt").unlink()
    (tmp_path / layout.PLAN).write_text("{")
    with pytest.raises(InputError, match="is damaged"):
        prepare(folder, tmp_path, signal_of())


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (signal_of(), {"format": "int8"}, "expected one of int16, float16, spectrogram"),
        (signal_of(stft=None), {"format": "spectrogram"}, "for a model on waveforms"),
        (signal_of(("piano",)), {}, "has no stem 'piano'"),
    ],
)
def test_refuses_plans(folder, tmp_path, model, options, message):
    with pytest.raises(InputError, match=message):
        prepare(folder, tmp_path / "out", model, **options)
    assert not (tmp_path / "out").exists()


def test_refuses_a_track_for_training_and_validation(folder, tmp_path):
    with pytest.raises(InputError, match="several tracks called"):
        prepare(folder, tmp_path / "out", signal_of(), valid=folder)


def test_the_plan_is_plain_json(folder):
    plan = shards.plan(find_tracks(folder), signal_of())
    assert json.loads(json.dumps(plan.described())) == plan.described()
    assert str(pathlib.Path(folder)) not in json.dumps(plan.described())
