"""Indexes of prepared folders that do not say what `kerasep prepare` writes."""

import copy
import json
from types import SimpleNamespace

import numpy as np
import pytest

from kerasep import data
from kerasep.data import prepared
from kerasep.data.prepared import layout, shards
from kerasep.data.sampling.failures import input_errors
from kerasep.errors import InputError

MODEL = SimpleNamespace(
    sources=("vocals", "bass"), sample_rate=8000, channels=1, stft={"n_fft": 256, "hop": 64}
)


@pytest.fixture(scope="module")
def prepared_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared")
    data.write_songs(folder / "songs", 3, seconds=1.0, sample_rate=8000)
    data.prepare(folder / "songs", folder / "shards", MODEL, shard_bytes=1)
    return folder / "shards"


@pytest.fixture
def index(prepared_folder):
    path = prepared_folder / layout.INDEX
    truth = path.read_bytes()
    yield json.loads(truth)
    path.write_bytes(truth)


def segment(index):
    return index["train"]["shards"][0]["segments"][0]


def put(holder, key, value):
    holder[key] = value


LIES = {
    "a path": lambda i: put(i["train"]["shards"][0], "file", "../../etc/passwd"),
    "another shard": lambda i: put(
        i["train"]["shards"][0], "file", i["valid"]["shards"][0]["file"]
    ),
    "no file": lambda i: i["train"]["shards"][0].pop("file"),
    "negative bytes": lambda i: put(i["train"]["shards"][0], "bytes", -1),
    "more bytes": lambda i: put(i["train"]["shards"][0], "bytes", 10**12),
    "text for bytes": lambda i: put(i["train"]["shards"][0], "bytes", "100"),
    "no digest": lambda i: put(i["train"]["shards"][0], "sha256", "x"),
    "no segments": lambda i: put(i["train"]["shards"][0], "segments", []),
    "no rows": lambda i: put(segment(i), "rows", 0),
    "a trillion rows": lambda i: put(segment(i), "rows", 10**12),
    "a number too large": lambda i: put(segment(i), "rows", 10**30),
    "half a row": lambda i: put(segment(i), "rows", 7999.5),
    "true for rows": lambda i: put(segment(i), "rows", True),
    "offset": lambda i: put(segment(i), "offset", 4),
    "negative offset": lambda i: put(segment(i), "offset", -4),
    "NaN scale": lambda i: put(segment(i)["scales"], 0, float("nan")),
    "infinite scale": lambda i: put(segment(i)["scales"], 0, float("inf")),
    "huge scale": lambda i: put(segment(i)["scales"], 0, 1e38),
    "zero scale": lambda i: put(segment(i)["scales"], 0, 0.0),
    "missing scale": lambda i: segment(i)["scales"].pop(),
    "track": lambda i: put(segment(i), "track", None),
    "rate 0": lambda i: put(i["settings"], "sample_rate", 0),
    "another rate": lambda i: put(i["settings"], "sample_rate", 16000),
    "text for a rate": lambda i: put(i["settings"], "sample_rate", "8000"),
    "channels": lambda i: put(i["settings"], "channels", -2),
    "sources twice": lambda i: put(i["settings"], "sources", ["bass", "bass"]),
    "sources as text": lambda i: put(i["settings"], "sources", "vocals"),
    "no sources": lambda i: put(i["settings"], "sources", []),
    "one source more": lambda i: put(i["settings"], "sources", ["vocals", "bass", "x"]),
    "format": lambda i: put(i["settings"], "format", "int32"),
    "another format": lambda i: put(i["settings"], "format", "spectrogram"),
    "rest": lambda i: put(i["settings"], "rest", 1),
    "record rows": lambda i: put(i["settings"], "record_rows", 1),
    "row shape": lambda i: put(i["settings"], "row_shape", [2]),
    "hop": lambda i: put(i["settings"]["stft"], "hop", 0),
    "frames": lambda i: put(i["train"]["statistics"], "frames", 0),
    "mean": lambda i: put(i["train"]["statistics"], "mean", "AAAA"),
    "no base64": lambda i: put(i["train"]["statistics"], "mean", "?"),
    "train": lambda i: i.pop("train"),
    "a list": lambda i: put(i, "valid", []),
    "one key more": lambda i: put(i, "comment", "mine"),
    "layout": lambda i: put(i, "layout", "1"),
    "no settings": lambda i: put(i, "settings", None),
}


@pytest.mark.parametrize("name", LIES)
def test_refuses_an_index_that_lies(prepared_folder, index, name):
    lie = copy.deepcopy(index)
    LIES[name](lie)
    (prepared_folder / layout.INDEX).write_text(json.dumps(lie))
    with pytest.raises(InputError, match=r"index\.json is damaged \(.+\): run the same") as caught:
        data.waveforms(prepared_folder, MODEL, batch_size=1, crop_seconds=0.25)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{",
        "\ufeff{}",
        '{"a": 1, "a": 2}',
        "[" * 100_000,
        '{"layout": NaN}',
        "\x00",
    ],
)
def test_refuses_what_is_not_an_index(prepared_folder, index, text):
    (prepared_folder / layout.INDEX).write_text(text)
    with pytest.raises(InputError, match=r"index\.json is damaged") as caught:
        prepared.read_index(prepared_folder)
    assert "\n" not in str(caught.value)


def test_refuses_a_key_that_is_there_twice(prepared_folder, index):
    text = json.dumps(index).replace('"rows":', '"rows": 100, "rows":', 1)
    (prepared_folder / layout.INDEX).write_text(text)
    with pytest.raises(InputError, match="it has the key 'rows' twice"):
        prepared.read_index(prepared_folder)


def test_numbers_that_are_none_are_left_out(tmp_path):
    """NaN in a record whose checksum is right: other crops are taken, never NaN."""
    import tensorflow as tf

    data.write_songs(tmp_path / "songs", 3, seconds=1.0, sample_rate=8000)
    data.prepare(tmp_path / "songs", tmp_path / "out", MODEL, format="float16", shard_bytes=1)
    victim = sorted((tmp_path / "out").glob("*.tfrecord"))[0]
    records = [record.numpy() for record in tf.data.TFRecordDataset(str(victim))]
    with tf.io.TFRecordWriter(str(victim)) as writer:
        for number, record in enumerate(records):
            samples = np.frombuffer(record, "<f2").copy()
            samples[::100] = [np.nan, np.inf][number % 2]
            writer.write(samples.tobytes())
    batches = data.waveforms(tmp_path / "out", MODEL, batch_size=1, crop_seconds=0.25, remix=0)
    with input_errors():
        found = list(batches.as_numpy_iterator())
    assert len(found) == 8
    assert all(np.isfinite(mixture).all() and np.isfinite(s).all() for mixture, s in found)


def test_refuses_a_shard_that_is_no_file(prepared_folder, index):
    victim = prepared_folder / index["train"]["shards"][0]["file"]
    victim.rename(victim.with_suffix(".moved"))
    victim.mkdir()
    with pytest.raises(InputError, match=r"tfrecord is not a file"):
        data.waveforms(prepared_folder, MODEL, batch_size=1, crop_seconds=0.25)
    victim.rmdir()
    victim.with_suffix(".moved").rename(victim)


@pytest.mark.parametrize(
    "lie",
    [
        {"segments": []},
        {"bytes": 0},
        {"signal": -1},
        {"statistics": None, "error": "x"},
        {"skipped": [{"track": "song_0001", "reason": "none"}]},
    ],
)
def test_a_sidecar_that_lies_is_written_anew(prepared_folder, index, lie):
    plan = shards.plan(data.find_tracks(prepared_folder.parent / "songs"), MODEL, shard_bytes=1)
    path = shards.sidecar(prepared_folder / plan.name(0))
    truth = path.read_bytes()
    path.write_text(json.dumps(json.loads(truth) | lie))
    assert shards.finished(plan, 0, prepared_folder) is None
    data.prepare(prepared_folder.parent / "songs", prepared_folder, MODEL, shard_bytes=1)
    assert path.read_bytes() == truth
    assert json.loads((prepared_folder / layout.INDEX).read_bytes()) == index
