"""MIR-1K: two stems in the two channels of one file."""

from types import SimpleNamespace

import numpy as np
import pytest

from kerasep.data import audio, find_pool, find_tracks, waveforms
from kerasep.data.datasets.layouts.mir_1k import mir_1k


def write_clips(record):
    clips = ("abjones_1_01", "abjones_1_02", "amy_3_01", "Ani_1_01")
    record(*(f"Wavfile/{clip}.wav" for clip in clips), channels=2)
    record("UndividedWavfile/abjones_1.wav", channels=2)


@pytest.mark.parametrize("folder", ["", "Wavfile"])
def test_channels_are_the_stems(tmp_path, record, folder):
    write_clips(record)
    tracks = find_tracks(tmp_path / folder, ("vocals", "accompaniment"))
    assert [(track.name, track.song, track.split) for track in tracks] == [
        ("Ani_1_01", "Ani_1", "test"),
        ("abjones_1_01", "abjones_1", "train"),
        ("abjones_1_02", "abjones_1", "train"),
        ("amy_3_01", "amy_3", "train"),
    ]
    samples, _ = audio.read(tmp_path / "Wavfile" / "amy_3_01.wav")
    mixture, stems = tracks[3].read(("vocals", "accompaniment"), 8000, 1)
    np.testing.assert_array_equal(stems[:, 0], samples[:, ::-1])
    np.testing.assert_allclose(mixture, samples.sum(axis=1, keepdims=True), atol=1e-6)
    _, wide = tracks[3].read(("vocals",), 8000, 2)
    np.testing.assert_array_equal(wide[:, 0], wide[:, 1])
    resampled, _ = tracks[3].read(("vocals",), 4000, 1)
    np.testing.assert_allclose(resampled, audio.resample(mixture, 8000, 4000), atol=1e-6)


def test_batches_honour_the_channels(tmp_path, record):
    write_clips(record)
    model = SimpleNamespace(sources=("vocals",), sample_rate=8000, channels=1)
    batches = waveforms(
        tmp_path, model, training=False, split="all", batch_size=4, crop_seconds=0.05
    )
    mixture, sources = next(iter(batches))
    samples, _ = audio.read(tmp_path / "Wavfile" / "Ani_1_01.wav")
    np.testing.assert_array_equal(sources[0, :, 0, 0], samples[:, 1])
    np.testing.assert_allclose(mixture[0, :, 0], samples.sum(axis=1), atol=1e-6)


def test_mono_files_of_such_names_are_recordings_of_speakers(tmp_path, record):
    record("amy_1_01.wav", "amy_1_02.wav", "ann_1_01.wav")
    assert mir_1k(tmp_path) is None
    assert list(find_pool(tmp_path).groups) == ["amy", "ann"]


def test_a_mono_clip_among_the_others_is_left_out(tmp_path, record, caplog):
    write_clips(record)
    record("Wavfile/Bob_1_01.wav", channels=1)
    assert len(find_tracks(tmp_path)) == 4
    assert "Bob_1_01.wav has 1 channels: there is no channel 1" in caplog.text
