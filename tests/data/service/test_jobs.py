"""Jobs of the data service: what travels, and what a worker refuses."""

import json
import os
import pickle
from types import SimpleNamespace

import numpy as np
import pytest

from kerasep import data
from kerasep.data.service import jobs, schemas
from kerasep.errors import InputError

MODEL = SimpleNamespace(sources=("vocals", "bass"), sample_rate=8000, channels=1)


@pytest.fixture
def job(songs):
    tracks = data.find_tracks(songs)
    return {
        "data": jobs.described(tracks),
        "model": jobs.signal(MODEL),
        "samples": 2000,
        "batch_size": 2,
        "steps": 2 * len(tracks) // 2,
        "crops_per_track": 2,
        "mixing": {
            "remix": 0.5,
            "gain": (0.25, 1.25),
            "swap": False,
            "semitones": 0,
            "snr": None,
            "min_sources": None,
            "min_level": None,
            "level": None,
        },
        "augment": {},
        "threads": None,
        "seed": 3,
    }


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
    described = jobs.described(data.find_tracks(songs.name))
    paths = [stem["path"] for track in described["tracks"] for stem in track["stems"].values()]
    assert all(path.startswith(str(songs.parent)) for path in paths)
    wanted = {"reverberate": {"responses": str(songs.parent / "rooms")}}
    assert jobs.augmentation({"reverberate": {"responses": "rooms"}}) == wanted


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
        (("kerasep",), "0.0.0", r"kerasep '0\.0\.0' .* install the same"),
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
        (("samples",), 10**12, "<= "),
        (("samples",), 1 << 31, "received batches of .* bytes"),
        (("batch_size",), 0, ">= 1"),
        (("crops_per_track",), 1 << 30, "received .* crops for an epoch"),
        (("steps",), 77, "received an epoch of 77 batches, but here it has"),
        (("seed",), -1, ">= 0"),
        (("threads",), 100_000, "<= 1024"),
        (("mixing", "remix"), 1.5, "<= 1"),
        (("mixing", "gain"), [1.0], "length >= 2"),
        (("mixing", "gain"), [2.0, 1.0], "expected a probability, and a range"),
        (("mixing", "semitones"), 1000, "<= 48"),
        (("mixing", "level"), 1e9, "<= 300"),
        (("mixing", "batch"), "__import__", "unknown field"),
        (("augment",), {"os.system": {}}, r"received augment 'os\.system'"),
        (("augment",), {"_step": {}}, "received augment '_step'"),
        (("augment",), {"reverberate": {"rng": 3}}, "received rng for reverberate"),
        (("augment",), {"reverberate": {"seconds": {"a": 1}}}, "does not know"),
    ],
)
def test_refuses_jobs_that_lie(job, path, value, message):
    with pytest.raises(InputError, match=message) as caught:
        jobs.batches_of(changed(job, path, value))
    assert "\n" not in str(caught.value)


def test_a_trillion_samples_make_no_trillion_crops(job):
    packed = changed({**job, "crops_per_track": None}, (*STEM, "samples"), 10**13)
    with pytest.raises(InputError, match=r"received .* crops for an epoch"):
        jobs.unpack(packed)


def test_refuses_numbers_that_are_none(job):
    packed = jobs.pack(job).replace(b'"remix": 0.5', b'"remix": NaN')
    with pytest.raises(InputError, match="NaN is not a JSON number"):
        jobs.unpack(packed)
    with pytest.raises(InputError, match="cannot travel"):
        jobs.pack({**job, "mixing": {**job["mixing"], "remix": float("nan")}})


def test_functions_do_not_travel(job):
    with pytest.raises(InputError, match=r"cannot travel .* read prepared shards"):
        jobs.pack({**job, "augment": {"reverberate": {"seconds": lambda: 1}}})


def test_parse_says_where():
    with pytest.raises(ValueError, match=r"Expected `int` >= 1 - at `\$\.hop`"):
        schemas.parse('{"n_fft": 4, "hop": 0, "window": "hann"}', schemas.Transform)
    with pytest.raises(ValueError, match="1e999 is not a finite number"):
        schemas.parse("[1e999]", list)
