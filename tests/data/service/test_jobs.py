"""Jobs of the data service: what travels, and what a worker refuses."""

import dataclasses
import json
import os
import pickle
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from kerasep import data
from kerasep.data.sampling.settings import Sampling
from kerasep.data.service import jobs, schemas
from kerasep.errors import InputError

MODEL = SimpleNamespace(sources=("vocals", "bass"), sample_rate=8000, channels=1)


@pytest.fixture
def job(songs):
    tracks = data.find_tracks(songs)
    sampling = Sampling(batch_size=2, crop_seconds=0.25, crops_per_track=2, seed=3)
    return jobs.describe(tracks, MODEL, sampling, steps=len(tracks))


def test_a_job_makes_the_batches_of_the_pipeline(job, songs):
    batch = jobs.batches_of(jobs.pack(job))
    local = data.waveforms(songs, MODEL, batch_size=2, crop_seconds=0.25, crops_per_track=2, seed=3)
    for step, (mixture, sources) in enumerate(local.as_numpy_iterator()):
        made = batch(0, step)
        np.testing.assert_array_equal(made[0], mixture)
        np.testing.assert_array_equal(made[1], sources)
    with pytest.raises(InputError, match=f"received step {job['steps']} of an epoch"):
        batch(0, job["steps"])


def test_names_of_files_become_absolute(songs, monkeypatch):
    monkeypatch.chdir(songs.parent)
    tracks = data.find_tracks(songs.name)
    sampling = Sampling(augment={"reverberate": {"responses": "rooms"}})
    job = jobs.describe(tracks, MODEL, sampling, steps=1)
    stems = [stem for track in job["data"]["tracks"] for stem in track["stems"].values()]
    assert all(stem["path"].startswith(str(songs.parent)) for stem in stems)
    wanted = {"reverberate": {"responses": str(songs.parent / "rooms")}}
    assert job["sampling"]["augment"] == wanted
    assert sampling.augment == {"reverberate": {"responses": "rooms"}}


def test_workers_start_without_tensorflow():
    """Loading it takes longer than everything else that a worker does before its first batch."""
    code = "import sys, kerasep.data.service.worker; sys.exit('keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_silent_sources_travel(job, songs):
    tracks = [dataclasses.replace(t, silent=("bass",), stems={"vocals": t.stems["vocals"]})
              for t in data.find_tracks(songs)]  # fmt: skip
    packed = jobs.pack(job | {"data": jobs.describe(tracks, MODEL, Sampling(), 1)["data"]})
    _, sources = jobs.batches_of(packed)(0, 0)
    assert sources[..., 0].any()
    assert not sources[..., 1].any()


class Hostile:
    def __reduce__(self):
        return os.mkdir, ("made",)


@pytest.mark.parametrize(
    "packed",
    [
        pickle.dumps(Hostile(), protocol=4),
        pickle.dumps(("0.1.0", np.dtype("O"))),
        b"",
        b"\x80\x04.",
        b"null",
        b"[" * 100_000,
        b'{"kerasep": "0.1.0"}',
        "{}".encode("utf-16"),
    ],
)
def test_only_jobs_are_read(packed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="a job that this release does not know") as caught:
        jobs.batches_of(packed)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "made").exists()


def changed(job, path, value):
    """A job with one value changed, as bytes."""
    job = json.loads(jobs.pack(job))
    *holders, key = path
    holder = job
    for each in holders:
        holder = holder[each]
    holder[key] = value
    return json.dumps(job).encode()


STEM = ("data", "tracks", 0, "stems", "bass")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("kerasep",), "0.0.0", r"kerasep '0\.0\.0'.* install the same"),
        (("kerasep",), None, "does not know"),
        (("plan",), {}, "unknown field `plan`"),
        (("data", "type"), "module", "Invalid value 'module'"),
        (("data", "tracks"), [], "length >= 1"),
        ((*STEM, "path"), "relative.wav", "matching regex"),
        ((*STEM, "path"), "/a\x00b", "matching regex"),
        ((*STEM, "samples"), 0, ">= 1"),
        ((*STEM, "sample_rate"), -8000, ">= 1"),
        ((*STEM, "channels"), 1.5, "Expected `int`"),
        ((*STEM, "channel"), "left", "Expected `int | null`"),
        (("model", "sources"), "vocals", "Expected `array`"),
        (("model", "sample_rate"), True, "Expected `int`"),
        (("model", "sources"), ["vocals", "tuba"], "has no stem 'tuba'"),
        (("sampling", "crop_seconds"), 1e12, "received batches of .* bytes"),
        (("sampling", "crop_seconds"), 1e-9, "from 1 to 16 times"),
        (("sampling", "batch_size"), 0, "expected numbers above 0"),
        (("sampling", "crops_per_track"), 1 << 30, "received .* crops for an epoch"),
        (("steps",), 77, "received an epoch of 77 batches, but here it has"),
        (("sampling", "seed"), -1, "whole numbers from 0 on"),
        (("sampling", "threads"), 100_000, "at most 1024"),
        (("sampling", "remix"), 1.5, "expected a probability"),
        (("sampling", "gain"), [1.0], "length 2"),
        (("sampling", "gain"), [2.0, 1.0], "expected a probability, and a range"),
        (("sampling", "semitones"), 1000, "at most 48"),
        (("sampling", "level"), 1e9, "expected decibels"),
        (("sampling", "reader"), "os.system", "expected 'tensorflow-io' or None"),
        (("sampling", "batch"), "__import__", "unknown field"),
        (("sampling",), 3, "does not know"),
        (("sampling", "augment"), {"os.system": {}}, r"received augment 'os\.system'"),
        (("sampling", "augment"), {"_step": {}}, "received augment '_step'"),
        (("sampling", "augment"), {"reverberate": {"rng": 3}}, "received rng for reverberate"),
        (("sampling", "augment"), {"reverberate": {"seconds": {"a": 1}}}, "does not know"),
    ],
)
def test_refuses_jobs_that_lie(job, path, value, message):
    with pytest.raises(InputError, match=message) as caught:
        jobs.batches_of(changed(job, path, value))
    assert "\n" not in str(caught.value)


def test_a_trillion_samples_make_no_trillion_crops(job):
    sampling = job["sampling"] | {"crops_per_track": None}
    packed = changed({**job, "sampling": sampling}, (*STEM, "samples"), 10**13)
    with pytest.raises(InputError, match=r"received .* crops for an epoch"):
        jobs.unpack(packed)


def test_refuses_numbers_that_are_none(job):
    packed = jobs.pack(job).replace(b'"remix": 0.5', b'"remix": NaN')
    with pytest.raises(InputError, match="NaN is not a JSON number"):
        jobs.unpack(packed)
    with pytest.raises(InputError, match="cannot travel"):
        jobs.pack({**job, "sampling": {**job["sampling"], "remix": float("nan")}})


def test_functions_do_not_travel(job):
    with pytest.raises(InputError, match=r"cannot travel .* read prepared shards"):
        jobs.pack({**job, "sampling": {"augment": {"reverberate": {"seconds": lambda: 1}}}})


def test_parse_says_where():
    with pytest.raises(ValueError, match=r"Expected `int` >= 1 - at `\$\.hop`"):
        schemas.parse('{"n_fft": 4, "hop": 0, "window": "hann"}', schemas.Transform)
    with pytest.raises(ValueError, match="1e999 is not a finite number"):
        schemas.parse("[1e999]", list)
