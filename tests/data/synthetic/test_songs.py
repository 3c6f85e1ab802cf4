"""Synthetic songs: reproducible, at a reasonable level, not trivial to separate."""

import os

import numpy as np
import pytest

from kerasep.data import audio, find_tracks, song, write_songs
from kerasep.data.synthetic import instruments
from kerasep.data.synthetic.songs import STEMS
from kerasep.errors import InputError


def power(waveform, n_fft=1024):
    """Power `(frames, bins)` of the first channel."""
    frames = np.lib.stride_tricks.sliding_window_view(waveform[:, 0], n_fft)[:: n_fft // 4]
    return np.abs(np.fft.rfft(frames * np.hanning(n_fft))) ** 2


def decibels(signal, other):
    return 10 * np.log10(np.square(signal).mean() / np.square(other).mean())


def test_same_seed_same_samples():
    first, second, other = song(3, 2.0), song(3, 2.0), song(4, 2.0)
    for name in STEMS:
        np.testing.assert_array_equal(first[name], second[name])
        assert np.abs(first[name] - other[name]).max() > 0.05


@pytest.mark.parametrize("seconds", [0.01, 0.3, 2.5])
@pytest.mark.parametrize(("sample_rate", "channels"), [(8000, 1), (16000, 2), (44100, 3)])
def test_shapes_and_levels(seconds, sample_rate, channels):
    stems = song(1, seconds, sample_rate, channels)
    assert tuple(stems) == STEMS
    for waveform in stems.values():
        assert waveform.dtype == np.float32
        assert waveform.shape == (round(seconds * sample_rate), channels)
        assert 0 < np.abs(waveform).max() <= 0.9 + 1e-6
    assert np.abs(sum(stems.values())).max() <= 0.9 + 1e-6


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 3, 4, 5))]
)
def test_vocals_overlap_with_the_rest_in_time_and_frequency(seed):
    stems = song(seed, 6.0)
    vocals, rest = stems["vocals"], sum(stems[name] for name in STEMS[1:])
    assert -6.5 < decibels(vocals, rest) < 3.5
    vocal_power, rest_power = power(vocals), power(rest)
    loud = [part.sum(axis=1) > 1e-3 * part.sum(axis=1).max() for part in (vocal_power, rest_power)]
    assert (loud[0] & loud[1]).mean() > 0.5
    # Where the vocals have their energy, some of the rest is no more than 10 dB below.
    contested = rest_power > vocal_power / 10
    assert vocal_power[contested].sum() > 0.05 * vocal_power.sum()
    # The best band-pass filter, a fixed gain for each bin, hardly helps.
    gain = vocal_power.sum(axis=0) / (vocal_power + rest_power).sum(axis=0)
    error = (1 - gain) ** 2 * vocal_power + gain**2 * rest_power
    assert 10 * np.log10(vocal_power.sum() / error.sum()) < 10


def test_stereo_stems_are_neither_mono_nor_unrelated():
    for waveform in song(2, 3.0, channels=2).values():
        left, right = waveform.T
        assert 0.5 < np.corrcoef(left, right)[0, 1] < 0.9999


def test_vocals_have_rests_and_a_pitch_in_the_key():
    rng = np.random.default_rng(0)
    score = instruments.Score.draw(rng)
    onsets, ends, pitches, phrases = instruments._melody(rng, score, 20.0)
    assert np.all(ends > onsets)
    assert np.all(onsets[1:] >= ends[:-1])
    assert {int(pitch - score.key) % 12 for pitch in pitches} <= set(score.scale)
    assert len(phrases) >= 2
    assert len(set(pitches)) >= 3


def test_write_songs(tmp_path):
    folder = tmp_path / "new" / "songs"
    assert write_songs(folder, 2, seed=5, seconds=1.0) == ["song_0000", "song_0001"]
    tracks = find_tracks(folder, STEMS)
    assert [track.name for track in tracks] == ["song_0000", "song_0001"]
    waveform, rate = audio.read(folder / "song_0001" / "bass.flac")
    assert rate == 16000
    np.testing.assert_allclose(waveform, song([5, 1], 1.0)["bass"], atol=1e-6)
    with pytest.raises(InputError, match="not an empty folder"):
        write_songs(folder, 2)
    (tmp_path / "empty").mkdir()
    write_songs(tmp_path / "empty", 1, seconds=0.5, sources=("vocals", "accompaniment"))
    (track,) = find_tracks(tmp_path / "empty")
    assert set(track.stems) == {"vocals", "accompaniment"}
    assert sorted(os.listdir(tmp_path)) == ["empty", "new"]


def test_an_interrupted_run_leaves_nothing(tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("kerasep.data.synthetic.songs.write", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_songs(tmp_path / "songs", 1, seconds=0.1)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("arguments", [{"count": 0}, {"sources": ("piano",)}, {"seconds": 0}])
def test_refusals(tmp_path, arguments):
    with pytest.raises(InputError, match="expected"):
        write_songs(**{"folder": tmp_path / "songs", "count": 1, **arguments})
    assert not os.listdir(tmp_path)
