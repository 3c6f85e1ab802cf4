"""A warning before training for integers stored as floats."""

import logging

import numpy as np
import pytest
import soundfile

from kerasep import data
from kerasep.data.datasets.scale import warn_beyond_full_scale

RATE = 8000


@pytest.fixture
def songs(tmp_path):
    """Three songs, one of which goes up to 30000, in the middle of it."""
    rng = np.random.default_rng(0)
    for song in "abc":
        (tmp_path / song).mkdir()
        for stem in ("vocals", "bass"):
            waveform = rng.uniform(-1, 1, 20 * RATE)
            waveform[8 * RATE : 12 * RATE] *= 30000 if (song, stem) == ("b", "bass") else 3
            soundfile.write(tmp_path / song / f"{stem}.wav", waveform, RATE, "FLOAT")
    return tmp_path


def test_the_file_is_named(songs, caplog):
    tracks = data.find_tracks(songs)
    caplog.clear()
    warn_beyond_full_scale(tracks)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "1 of 6 files" in caplog.text
    assert "b/bass.wav up to 29" in caplog.text


def test_nothing_is_said_of_other_data(songs, caplog):
    tracks = [track for track in data.find_tracks(songs) if track.name != "b"]
    caplog.clear()
    warn_beyond_full_scale(tracks)
    warn_beyond_full_scale([])
    warn_beyond_full_scale(songs)  # prepared
    assert not caplog.records


def test_a_pool(songs, caplog):
    groups = {track.name: tuple(track.stems.values()) for track in data.find_tracks(songs)}
    caplog.clear()
    warn_beyond_full_scale(data.Pool("songs", groups))
    assert "b/bass.wav" in caplog.text


def test_the_check_names_it(songs):
    problems = [problem for problem in data.check(songs).problems if problem.where == "b/bass"]
    assert [problem.kind for problem in problems] == ["scale"]
    assert "peaks at 29" in str(problems[0])


def test_preparing_warns(songs, tmp_path, caplog):
    from types import SimpleNamespace

    model = SimpleNamespace(sources=("vocals",), sample_rate=RATE, channels=1, stft=None)
    data.prepare(songs, songs.parent / "shards", model)
    assert "far beyond full scale" in caplog.text
