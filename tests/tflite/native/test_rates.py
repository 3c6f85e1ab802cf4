"""The C code separates recordings at any sample rate, as Python's runtime does."""

import numpy as np
import pytest
import soundfile
import soxr

from kerasep.tflite.format.metadata import with_metadata

TIMING = {"hop": 8, "frame": 24, "lag": 16, "silence": 0, "ends": "mirror"}


@pytest.fixture
def separated_at(separated, tmp_path):
    """Function of (folder, model, audio, rate, *options) that returns what the command made."""

    def separated_at(folder, model, audio, rate, *options):
        soundfile.write(tmp_path / "a.wav", audio, rate, "FLOAT")
        return separated(folder, model, tmp_path / "a.wav", tmp_path / "stems", *options)

    return separated_at


@pytest.mark.parametrize(
    ("rate", "samples", "channels"),
    [(44100, 20000, 2), (48000, 50, 1), (22050, 3001, 3), (4000, 999, 2)],
)
def test_the_residual_gets_what_lies_beyond_the_band(
    sanitized, separated_at, assert_agrees, at_its_own_rate, karaoke, noise, rate, samples, channels
):
    audio = noise(samples, channels)
    received = separated_at(sanitized, karaoke, audio, rate)
    assert_agrees(received, at_its_own_rate(karaoke, audio, rate, "accompaniment"))


def test_one_sample_is_a_recording(built, separated_at, karaoke):
    received = separated_at(built, karaoke, np.array([[0.25]], "float32"), 44100)
    np.testing.assert_allclose(sum(received.values()), 0.25, atol=1e-7)


def test_stems_end_with_the_band_if_asked(
    sanitized, separated_at, assert_agrees, at_its_own_rate, karaoke, noise
):
    audio = noise(20000, 2)
    received = separated_at(sanitized, karaoke, audio, 44100, "--band", "model")
    assert_agrees(received, at_its_own_rate(karaoke, audio, 44100))


@pytest.mark.parametrize("residual", [None, "vocals"])
def test_the_file_names_its_residual(
    built, separated_at, assert_agrees, at_its_own_rate, tiny_parts, noise, tmp_path, residual
):
    content, about = tiny_parts
    about = about | {"sources": ["vocals", "accompaniment"], "interchangeable": False}
    path = tmp_path / "a.tflite"
    path.write_bytes(with_metadata(content, about | {"residual": residual}))
    audio = noise(9000, 1)
    received = separated_at(built, path, audio, 44100)
    assert_agrees(received, at_its_own_rate(path, audio, 44100, residual))


def test_the_end_of_the_band_is_said(built, run, tiny, noise, tmp_path):
    soundfile.write(tmp_path / "a.wav", noise(9000, 1), 44100, "FLOAT")
    done = run(built / "kerasep-native", tiny, tmp_path / "a.wav", tmp_path / "stems")
    assert done.stderr == "warning: the stems end at 4000 Hz: no source stands for the rest\n"


def test_streams_are_resampled_too(sanitized, separated_at, toy, noise, tmp_path):
    audio = noise(30011, 3)
    received = separated_at(sanitized, toy(tmp_path / "toy", TIMING), audio, 32000)
    low = soxr.resample(audio, 32000, 8000)
    expected = soxr.resample(low, 8000, 32000)[: len(audio)]
    np.testing.assert_allclose(received["same"][: len(expected)], expected, atol=1e-6)
    assert received["same"].shape == audio.shape
