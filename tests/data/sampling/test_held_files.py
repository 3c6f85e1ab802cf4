"""Decoded blocks in memory: the same crops, each block decoded once, and no more than fits."""

import os
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from kerasep.data import Track, audio, prepare
from kerasep.data.datasets.layouts.contents import Location
from kerasep.data.datasets.stems import open_stems
from kerasep.data.sampling import held_files, recording
from kerasep.data.sampling.held_files import HeldFiles
from kerasep.data.sampling.open_files import OpenFiles, Unreadable
from kerasep.data.sampling.plans import open_reader
from kerasep.data.sampling.settings import Sampling

SOURCES = ("vocals", "bass")


@pytest.fixture(autouse=True)
def of_this_test(monkeypatch):
    """Blocks of a quarter of a second or less, held by nobody else."""
    monkeypatch.setattr(recording, "_VALUES", 2000)
    monkeypatch.setattr(held_files._shared, "get", lambda *_: None)
    monkeypatch.setattr(held_files._shared, "setdefault", lambda _, held: held)


def write_tracks(folder, suffix, rng, rate=8000, channels=2):
    for track in range(3):
        for stem in (*SOURCES, "drums", "other"):
            path = folder / f"track_{track}" / f"{stem}.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            audio.write(path, rng.uniform(-0.9, 0.9, (3 * rate, channels)).astype("float32"), rate)


def batches(data, channels, full, **settings):
    """All batches of two epochs, with blocks in memory or without."""
    model = SimpleNamespace(sources=SOURCES, sample_rate=8000, channels=channels, stft=None)
    reader = open_reader(
        data, model, Sampling(batch_size=4, crop_seconds=0.6, threads=2, **settings), True
    )
    reader.files.held.full = full
    found = [reader.batch(epoch, 0, 12) for epoch in range(2)]
    reader.pool.shutdown()
    assert bool(reader.files.held.bytes) != full
    return [np.copy(array) for batch in found for array in batch]


@pytest.mark.parametrize(
    ("suffix", "rate", "channels", "settings"),
    [
        ("flac", 8000, 2, {}),
        ("wav", 8000, 2, {"remix": 0.0, "crops_per_track": 8}),
        ("flac", 8000, 1, {}),
        ("flac", 11025, 2, {}),
        ("wav", 7919, 1, {"semitones": 6}),
        ("flac", 8000, 2, {"snr": (-5, 5), "augment": {"change_gain": {}}}),
        ("flac", 8000, 2, {"min_level": -5.0}),
        ("mp3", 44100, 2, {}),
        ("ogg", 44100, 2, {}),
    ],
)
def test_crops_do_not_depend_on_what_is_held(tmp_path, rng, suffix, rate, channels, settings):
    write_tracks(tmp_path, suffix, rng, rate)
    held, read = (batches(tmp_path, channels, full, **settings) for full in (False, True))
    for one, other in zip(held, read, strict=True):
        np.testing.assert_array_equal(one, other)
    assert np.abs(held[0]).max() > 0.1


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
@pytest.mark.parametrize("form", ["int16", "float16"])
def test_crops_of_shards_do_not_depend_on_what_is_held(tmp_path, rng, form):
    write_tracks(tmp_path / "songs", "wav", rng)
    model = SimpleNamespace(sources=SOURCES, sample_rate=8000, channels=2, stft=None)
    prepare(tmp_path / "songs", tmp_path / "shards", model, valid=[], format=form)
    held, read = (batches(tmp_path / "shards", 2, full) for full in (False, True))
    for one, other in zip(held, read, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_channel_of_a_file_is_a_stem(tmp_path, rng):
    waveform = rng.uniform(-0.9, 0.9, (8000, 2)).astype("float32")
    audio.write(tmp_path / "both.wav", waveform, 8000)
    left, right = open_stems(tmp_path, [Location(tmp_path / "both.wav", 0, c) for c in (0, 1)])
    tracks = [Track("song", {"vocals": left, "bass": right})]
    held, read = (
        batches(tracks, 1, full, gain=None, crops_per_track=12, remix=0.0) for full in (False, True)
    )
    np.testing.assert_array_equal(held[1], read[1])
    assert not np.array_equal(held[1][..., 0], held[1][..., 1])


@pytest.fixture
def stems(tmp_path, rng):
    """Three recordings of a second: 16 bit, float, and one at another rate."""
    for name, rate, subtype in (
        ("a", 8000, "PCM_16"),
        ("b", 8000, "FLOAT"),
        ("c", 16000, "PCM_16"),
    ):
        waveform = rng.uniform(-1, 1, (rate, 1)).astype("float32")
        soundfile.write(tmp_path / f"{name}.wav", waveform, rate, subtype)
    return open_stems(tmp_path, [Location(tmp_path / f"{name}.wav") for name in "abc"])


def crop(files, stem, start=0.25, samples=2000):
    out = np.empty((samples, 1), "float32")
    files.read(stem, 8000, start, out)
    return out


def test_samples_are_those_of_the_file(stems):
    files = OpenFiles(1)
    for stem in stems:
        expected = audio.read(stem.path, 8000)[0][2000:4000]
        for _ in range(2):  # from the file, then from memory
            np.testing.assert_allclose(crop(files, stem), expected, atol=1e-6)
    past_the_end = crop(files, stems[0], start=0.9)
    assert past_the_end[:800].any()
    assert not past_the_end[800:].any()


def test_16_bit_samples_take_two_bytes(stems):
    files = OpenFiles(1)
    crop(files, stems[0], 0.0, 8000)
    assert files.held.bytes == 2 * 8000
    view = files.view(stems[0], 8000, 0.25, (2000, 1))
    np.testing.assert_array_equal(view / np.float32(32768), crop(files, stems[0]))


def test_blocks_are_decoded_once_by_all_threads(stems, monkeypatch):
    decoded = []
    block = recording.Recording.block
    monkeypatch.setattr(
        recording.Recording, "block", lambda *a: decoded.append((a[0].key, a[1])) or block(*a)
    )
    files = OpenFiles(4)
    for start in (0.3, 0.0, 0.5, 0.7, 0.3):
        for stem in stems:
            crop(files, stem, start)
        files.local.files.clear()  # as another thread begins
    assert len(decoded) == len(set(decoded)) == 16


def test_no_more_is_held_than_leaves_half_of_the_free_memory(stems, monkeypatch):
    monkeypatch.setattr(held_files, "_LEAST", 3000)
    monkeypatch.setattr(held_files.memory, "free", lambda: 20_000)
    files = OpenFiles(1)
    monkeypatch.setattr(held_files.memory, "free", lambda: 20_000 - files.held.bytes)
    for stem in stems:
        crop(files, stem, 0.0, 8000)
    assert 10_000 <= files.held.bytes <= 10_000 + 4 * 2000
    monkeypatch.setattr(held_files.memory, "free", lambda: 5000)  # others took it
    held = files.held = HeldFiles()
    held.reserve = 6000
    crop(files, stems[0], 0.0, 8000)
    assert 3000 < held.bytes <= 3000 + 4000


def test_a_file_that_changed_is_skipped(stems):
    files = OpenFiles(1)
    crop(files, stems[0])
    soundfile.write(stems[0].path, np.zeros((4000, 1)), 8000)
    with pytest.raises(Unreadable, match="has changed: it had 8000 samples"):
        crop(files, stems[0])
    assert files.held.bytes == len(files.held.held) == 0


def test_a_file_that_was_written_again_is_read_again(stems):
    os.utime(stems[0].path, (0, 0))  # time stamps of some file systems are coarse
    files = OpenFiles(1)
    crop(files, stems[0])
    soundfile.write(stems[0].path, np.full((8000, 1), 0.5), 8000, "PCM_16")
    np.testing.assert_allclose(crop(files, stems[0]), 0.5, atol=1e-4)


def test_a_damaged_part_is_no_harm_to_the_rest(tmp_path):
    """What cannot be held is read from the file, as far as it is good."""
    waveform = np.zeros((8000, 1), "float32")
    waveform[4100] = np.nan
    soundfile.write(tmp_path / "a.wav", waveform, 8000, "FLOAT")
    (stem,) = open_stems(tmp_path, [Location(tmp_path / "a.wav")])
    files = OpenFiles(1)
    assert not crop(files, stem, 0.0, 4090).any()
    assert files.view(stem, 8000, 0.0, (4090, 1)) is None


def test_pipelines_of_a_process_share_what_is_held(stems, monkeypatch):
    monkeypatch.undo()
    first, second = OpenFiles(1), OpenFiles(1)
    crop(first, stems[0])
    assert first.held is second.held
    assert second.view(stems[0], 8000, 0.25, (2000, 1)) is not None
