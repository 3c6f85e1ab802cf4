"""Shards that are damaged: named in the log, skipped, and other crops in their place."""

import json
import re
from types import SimpleNamespace

import google_crc32c
import numpy as np
import pytest

from kerasep.data import find_tracks, prepare, waveforms
from kerasep.data.prepared import layout
from kerasep.data.sampling.failures import input_errors
from kerasep.errors import InputError

RATE = 8000
STFT = {"n_fft": 256, "hop": 64, "window": "hann"}


def model(sources=("vocals", "bass"), channels=2, sample_rate=RATE, stft=STFT):
    return SimpleNamespace(sources=sources, sample_rate=sample_rate, channels=channels, stft=stft)


def collect(dataset):
    return [tuple(value.numpy() for value in batch) for batch in dataset]


def flip(path, record):
    """Change a bit in a record of four thousand samples."""
    content = bytearray(path.read_bytes())
    content[record * (4000 * 4 + 16) + 500] ^= 1
    path.write_bytes(bytes(content))


def test_a_damaged_record_is_named_and_other_crops_taken(copied, caplog):
    options = {"batch_size": 10, "crop_seconds": 0.5, "remix": 0, "gain": None, "swap": False}
    clean = collect(waveforms(copied, model(), **options))
    victim = sorted(copied.glob("*.tfrecord"))[2]
    flip(victim, 5)  # the second of the bass
    dataset = waveforms(copied, model(), **options)
    for epoch in range(2):
        received = collect(dataset)
        assert [mixture.shape for mixture, _ in received] == [mixture.shape for mixture, _ in clean]
        for mixture, sources in received:
            assert np.isfinite(mixture).all(), epoch
            assert np.abs(sources).max(axis=(1, 2)).min() > 0.1, epoch
    assert caplog.text.count(f"skipped from now on: record 5 of {victim} is damaged") == 1
    assert "(1 so far)" in caplog.text


def test_a_length_that_lies_is_not_believed(copied, caplog):
    """TensorFlow's own reader allocates what a record says, and ends the process."""
    victim = sorted(copied.glob("*.tfrecord"))[2]
    content = bytearray(victim.read_bytes())
    content[:8] = (1 << 62).to_bytes(8, "little")
    crc = google_crc32c.value(bytes(content[:8]))
    content[8:12] = ((((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF).to_bytes(4, "little")
    victim.write_bytes(content)
    options = {"batch_size": 10, "crop_seconds": 0.5, "crops_per_track": 8}
    assert len(collect(waveforms(copied, model(), **options))) == 4
    assert f"record 0 of {victim} is damaged" in caplog.text


def test_a_file_cut_short_is_named(copied, caplog):
    victim = sorted(copied.glob("*.tfrecord"))[2]
    victim.write_bytes(victim.read_bytes()[:50000])
    dataset = waveforms(copied, model(), batch_size=10, crop_seconds=0.5)
    assert f"{victim} has 50000 bytes, expected" in caplog.text
    assert len(collect(dataset)) == 2
    assert re.search(rf"record \d+ of {victim} is damaged", caplog.text)


def test_validation_goes_on_past_a_damaged_record(folder, tmp_path):
    tracks = find_tracks(folder)
    prepare(tracks[2:], tmp_path, model(), valid=tracks[:2], shard_bytes=1)
    flip(sorted(tmp_path.glob("*.tfrecord"))[-2], 0)
    options = {"batch_size": 8, "crop_seconds": 0.5, "training": False}
    dataset = waveforms(tmp_path, model(), **options)
    collect(dataset)  # some of its crops may be read before the damage is found
    ((mixture, _),) = collect(dataset)
    ((expected, _),) = collect(waveforms(tracks[1:2], model(), **options))
    np.testing.assert_array_equal(mixture, np.concatenate([expected[:1]] * 4 + [expected]))


def test_refuses_when_nothing_is_left(copied):
    for path in copied.glob("*.tfrecord"):
        for record in range(12):
            flip(path, record)
    dataset = waveforms(copied, model(), batch_size=4, crop_seconds=0.5)
    refused = pytest.raises(
        InputError,
        match=r"no track left to train on.* is damaged: run the same kerasep prepare again",
    )
    with refused, input_errors():
        collect(dataset)


def test_refuses_a_missing_shard(copied):
    sorted(copied.glob("*.tfrecord"))[1].unlink()
    with pytest.raises(InputError, match=r"00001-of-00006\.tfrecord is missing"):
        waveforms(copied, model(), batch_size=4, crop_seconds=0.5)


def test_refuses_a_folder_that_is_not_finished(copied):
    (copied / layout.INDEX).unlink()
    with pytest.raises(InputError, match="is not prepared to its end"):
        waveforms(copied, model(), batch_size=2, crop_seconds=0.5)


def test_refuses_an_index_that_is_not_ours(copied):
    index = json.loads((copied / layout.INDEX).read_text())
    (copied / layout.INDEX).write_text(json.dumps({**index, "layout": 99}))
    with pytest.raises(InputError, match="has layout 99, expected 1"):
        waveforms(copied, model(), batch_size=2, crop_seconds=0.5)
    (copied / layout.INDEX).write_text("{")
    with pytest.raises(InputError, match="is damaged"):
        waveforms(copied, model(), batch_size=2, crop_seconds=0.5)
