"""Which part of a visitor's recording the demo separates."""

import numpy as np
import pytest

from kerasep import data
from kerasep.errors import InputError
from kerasep.reports.clip import loudest_part


def noise(seconds, rate=8000, channels=1):
    shape = (round(seconds * rate), channels)
    return np.random.default_rng(0).uniform(-0.1, 0.1, shape).astype("float32")


def test_the_loudest_half_minute(tmp_path):
    samples = noise(75, channels=2)
    samples[41 * 8000 : 71 * 8000] *= 5
    data.write(tmp_path / "song.wav", samples, 8000)
    part = loudest_part(tmp_path / "song.wav")
    np.testing.assert_allclose(part.waveform, samples[41 * 8000 : 71 * 8000], atol=1e-4)
    assert part.place == (
        "song.wav from 0:41 to 1:11, the loudest 30 seconds of its first 10 minutes"
    )


def test_the_end_of_a_recording_can_be_the_loudest(tmp_path):
    samples = noise(45.5)
    samples[-8000:] *= 9
    data.write(tmp_path / "song.wav", samples, 8000)
    part = loudest_part(tmp_path / "song.wav")
    assert (part.start, len(part.waveform)) == (15, 30 * 8000)


def test_only_the_first_ten_minutes_are_searched(tmp_path):
    samples = noise(660, rate=4000)
    samples[100 * 4000 : 130 * 4000] *= 2
    samples[620 * 4000 :] *= 9
    data.write(tmp_path / "song.wav", samples, 4000)
    assert loudest_part(tmp_path / "song.wav").start == 100


def test_a_short_recording_is_taken_whole(tmp_path):
    samples = noise(1.5, channels=4)
    data.write(tmp_path / "song.wav", samples, 8000)
    part = loudest_part(tmp_path / "song.wav")
    np.testing.assert_allclose(part.waveform, samples.mean(axis=1, keepdims=True), atol=1e-4)
    assert part.place == "song.wav"


@pytest.mark.parametrize(
    ("seconds", "gain", "message"), [(3, 0, "silent"), (0.5, 1, "1 s or more")]
)
def test_what_cannot_be_heard_is_refused(tmp_path, seconds, gain, message):
    data.write(tmp_path / "song.wav", gain * noise(seconds), 8000)
    with pytest.raises(InputError, match=message):
        loudest_part(tmp_path / "song.wav")
