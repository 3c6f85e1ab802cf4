"""Files that go bad while training reads them."""

import logging
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from kerasep.data import audio, find_pool, find_tracks, waveforms

RATE = 8000
MODEL = SimpleNamespace(sources=("vocals", "bass"), sample_rate=RATE, channels=1)
OPTIONS = {"batch_size": 4, "crop_seconds": 0.25, "crops_per_track": 8, "gain": None}


@pytest.fixture
def folder(tmp_path):
    """Six tracks, each a constant, as 16-bit WAV, float WAV and FLAC."""
    suffixes = ("wav", "flac")
    for track in range(6):
        (tmp_path / f"{track}").mkdir()
        for stem, level in (("vocals", 1 + track), ("bass", 10 + track)):
            path = tmp_path / f"{track}" / f"{stem}.{suffixes[track % 2]}"
            audio.write(path, np.full((4 * RATE, 1), level / 32, "float32"), RATE)
    return tmp_path


def levels(dataset):
    sources = np.concatenate([sources.numpy() for _, sources in dataset])
    assert np.ptp(sources, axis=1).max() < 1e-4  # no half of a crop is missing
    return np.round(sources[:, 0, 0] * 32).astype(int)


def vanish(path):
    path.unlink()


def truncate(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def shorten(path):
    waveform, rate = audio.read(path)
    audio.write(path, waveform[:RATE], rate, overwrite=True)


def garble(path):
    path.write_text("no audio")


def poison(path):
    waveform = np.full((4 * RATE, 1), np.inf, "float32")
    waveform[::2] *= -1
    soundfile.write(path, waveform, RATE, "FLOAT", format="WAV")


@pytest.mark.parametrize(
    ("harm", "remix"),
    [(vanish, 0.0), (vanish, 1.0), (truncate, 0.0), (shorten, 1.0), (garble, 0.0), (poison, 1.0)],
)
def test_others_take_the_place_of_a_file_that_goes_bad(folder, caplog, harm, remix):
    dataset = waveforms(folder, MODEL, remix=remix, **OPTIONS)
    assert set(levels(dataset)[:, 1]) <= set(range(10, 16))
    for track, suffix in ((2, "wav"), (3, "flac")):
        harm(folder / f"{track}" / f"bass.{suffix}")
    with caplog.at_level(logging.WARNING):
        first, second = levels(dataset), levels(dataset)
    assert len(first) == len(second) == 48
    heard = np.concatenate([first, second])
    assert set(heard[:, 1]) == {10, 11, 14, 15}
    # As recorded, the whole track is gone; remixed, its vocals are there.
    assert (set(heard[:, 0]) == {1, 2, 5, 6}) == (remix == 0)
    lines = [r.message for r in caplog.records if r.name == "kerasep.data.sampling.open_files"]
    assert len(lines) == 2
    assert lines[0].startswith("skipped from now on: ")
    assert lines[1].endswith("(2 so far)")
    for name in ("2/bass.wav", "3/bass.flac"):
        assert sum(name in line for line in lines) == 1


def test_replacements_do_not_depend_on_threads(folder):
    stale = find_tracks(folder)
    for track, suffix in ((1, "flac"), (2, "wav"), (4, "wav")):
        vanish(folder / f"{track}" / f"vocals.{suffix}")
    runs = [levels(waveforms(stale, MODEL, threads=n, seed=5, **OPTIONS)) for n in (1, 4)]
    np.testing.assert_array_equal(*runs)


def test_refused_when_none_is_left(folder):
    dataset = waveforms(folder, MODEL, **OPTIONS)
    for path in folder.glob("*/bass.*"):
        vanish(path)
    message = r"there is no track left to train on, 6 files cannot be read: .+ is missing"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        levels(dataset)


def test_validation_goes_on_without_a_track(folder):
    dataset = waveforms(folder, MODEL, training=False, batch_size=16, crop_seconds=1.0)
    vanish(folder / "0" / "vocals.wav")
    assert set(levels(dataset)[:, 0]) == {2, 3, 4, 5, 6}


def test_a_pool_goes_on_without_a_recording(folder):
    pool_folder = folder / "pool"
    for track in range(4):
        (pool_folder / f"speaker_{track}").mkdir(parents=True)
        for stem in ("vocals", "bass"):
            found = next((folder / f"{track}").glob(f"{stem}.*"))
            shutil.copy(found, pool_folder / f"speaker_{track}")
    pool = find_pool(pool_folder)
    two = SimpleNamespace(sources=("a", "b"), sample_rate=RATE, channels=1)
    for path in (pool_folder / "speaker_0").iterdir():
        vanish(path)
    vanish(next((pool_folder / "speaker_1").glob("bass*")))
    heard = np.concatenate([s[:, 0, 0] for _, s in waveforms(pool, two, **OPTIONS)])
    assert set(np.round(heard * 32).astype(int).ravel()) == {2, 3, 4, 12, 13}


def test_a_file_that_was_only_touched_is_read_again(folder, caplog):
    dataset = waveforms(folder, MODEL, **OPTIONS)
    levels(dataset)
    path = folder / "0" / "bass.wav"
    audio.write(path, np.full((4 * RATE, 1), 20 / 32, "float32"), RATE, overwrite=True)
    assert 20 in levels(dataset)[:, 1]
    assert not caplog.records
