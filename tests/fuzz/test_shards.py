"""Prepared folders that lie: an `InputError` in one line, or batches of true samples."""

import contextlib
import json
import pathlib
import shutil
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

from kerasep import data
from kerasep.data import prepared
from kerasep.data.prepared import shards
from kerasep.data.sampling.failures import input_errors
from kerasep.errors import InputError

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from lies import lie

MODEL = SimpleNamespace(
    sources=("vocals", "bass"), sample_rate=8000, channels=1, stft={"n_fft": 256, "hop": 64}
)
CROP = {"batch_size": 1, "crop_seconds": 0.25}


@pytest.fixture(scope="module", params=["int16", "float16", "spectrogram"])
def folder(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    data.write_songs(folder / "songs", 3, seconds=1.0, sample_rate=8000)
    data.prepare(folder / "songs", folder / "out", MODEL, format=request.param, shard_bytes=1)
    return folder / "out"


def crops(folder, training=False):
    make = data.spectrograms if prepared.holds_spectrograms(folder) else data.waveforms
    kept = {"remix": 0, "gain": None, "swap": False} if training else {}
    dataset = make(folder, MODEL, training=training, **CROP, **kept)
    with input_errors():
        return [mixture for mixture, _ in dataset.as_numpy_iterator()]


@contextlib.contextmanager
def one_line(seed):
    """Let nothing but an `InputError` of one line happen, and soon."""
    start = time.process_time()
    try:
        yield
    except InputError as error:
        if "\n" in str(error) or len(str(error)) > 5000:
            raise AssertionError(f"seed {seed}: {error}") from error
    except BaseException as error:
        error.add_note(f"seed {seed}")
        raise
    assert time.process_time() - start < 30, seed


@pytest.mark.slow
def test_an_index_that_lies(folder, cases):
    path = folder / shards.INDEX
    truth = path.read_bytes()
    index = json.loads(truth)
    clean = crops(folder)
    accepted = read = 0
    try:
        for seed, rng in cases(400):
            path.write_bytes(lie(index, rng))
            with one_line(seed):
                prepared.read_index(folder)
                accepted += 1
                # Making a pipeline takes long: not for all that say nothing wrong.
                if accepted % 8 == 1:
                    read += 1
                    for crop, true in zip(crops(folder), clean, strict=True):
                        assert np.isfinite(crop).all(), seed
                        assert np.corrcoef(crop.ravel(), true.ravel())[0, 1] > 0.99, seed
                    prepared.statistics(folder, MODEL)
        assert 0 < read <= accepted < seed / 2
    finally:
        path.write_bytes(truth)


@pytest.mark.slow
def test_shards_that_are_damaged(folder, cases, tmp_path):
    copied = tmp_path / "copied"
    shutil.copytree(folder, copied)
    victim = sorted(copied.glob("*.tfrecord"))[-1]
    truth, clean = victim.read_bytes(), crops(copied)
    for seed, rng in cases(8):
        content = bytearray(truth)
        for _ in range(rng.integers(1, 4)):
            place = int(rng.integers(len(content)))
            kind = rng.integers(4)
            if kind == 0:
                content[place] ^= 1 << rng.integers(8)
            elif kind == 1:
                del content[place:]
                content += b"\x00"
            elif kind == 2:
                content[place:place] = rng.bytes(int(rng.integers(1, 100)))
            else:
                content[place : place + 200] = bytes(200)
        victim.write_bytes(content)
        with one_line(seed):
            for mixture in crops(copied):
                assert any(np.array_equal(mixture, true) for true in clean), seed


@pytest.mark.slow
def test_sidecars_that_lie(folder, cases, tmp_path):
    """What is not true is written anew: the folder comes out as it was."""
    songs, settings = folder.parent / "songs", json.loads((folder / shards.INDEX).read_bytes())
    plan = shards.plan(
        data.find_tracks(songs), MODEL, format=settings["settings"]["format"], shard_bytes=1
    )
    copied = tmp_path / "copied"
    shutil.copytree(folder, copied)
    path = shards.sidecar(copied / plan.name(0))
    truth = path.read_bytes()
    entry = json.loads(truth)
    for seed, rng in cases(300):
        path.write_bytes(lie(entry, rng))
        with one_line(seed):
            found = shards.finished(plan, 0, copied)
            if found is not None:
                kept = ("file", "bytes", "sha256")
                assert [found[key] for key in kept] == [entry[key] for key in kept], seed
                for one, other in zip(found["segments"], entry["segments"], strict=True):
                    assert one | {"scales": 0} == other | {"scales": 0}, seed
    path.write_text(json.dumps({**entry, "segments": []}))
    (copied / shards.INDEX).unlink()
    data.prepare(songs, copied, MODEL, format=settings["settings"]["format"], shard_bytes=1)
    assert (copied / shards.INDEX).read_bytes() == (folder / shards.INDEX).read_bytes()
    assert path.read_bytes() == truth
