"""Writing audio files: exact and atomic, with clear errors."""

import contextlib
import os
import subprocess
import sys

import numpy as np
import pytest

from kerasep.data import audio
from kerasep.data.audio import encoders, encodings
from kerasep.errors import InputError

RATE = 44100


def noise(samples=RATE, channels=2):
    values = np.random.default_rng(0).normal(0, 0.1, (samples, channels))
    return values.clip(-0.99, 0.99).astype("float32")


@pytest.mark.parametrize(("suffix", "tolerance"), [("wav", 0), ("flac", 1e-6), ("ogg", None)])
def test_write_then_read(tmp_path, suffix, tolerance):
    path = tmp_path / f"out.{suffix}"
    values = noise(200_000, 2)
    audio.write(path, values, RATE)
    waveform, rate = audio.read(path)
    assert (rate, waveform.shape) == (RATE, values.shape)
    if tolerance is not None:
        np.testing.assert_allclose(waveform, values, atol=tolerance)
    with pytest.raises(InputError, match="exists"):
        audio.write(path, values, RATE)
    audio.write(path, values[:10], RATE, overwrite=True)
    assert audio.info(path).samples == 10
    assert os.listdir(tmp_path) == [path.name]


def test_flac_that_clips_warns_once(tmp_path, caplog):
    with audio.Writer(tmp_path / "loud.flac", RATE, 2) as writer:
        for _ in range(3):
            writer.write(20 * noise(100))
    assert len(caplog.records) == 1
    assert "clipped" in caplog.text


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("out.mp5", noise(10), ".wav, .flac, .ogg"),
        ("missing/out.wav", noise(10), "create it"),
        ("out.wav", noise(10)[:, 0], "(samples, channels)"),
        ("out.wav", noise(10) * np.nan, "NaN"),
        ("out.flac", noise(10, 9), "out.flac"),
    ],
)
def test_refuses_to_write(tmp_path, name, values, words):
    with pytest.raises(InputError) as caught:
        audio.write(tmp_path / name, values, RATE)
    assert words in str(caught.value)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_nothing_half_written_stays(tmp_path, error):
    audio.write(tmp_path / "kept.wav", noise(10), RATE)

    def write_and_fail():
        with audio.Writer(tmp_path / "kept.wav", RATE, 2, overwrite=True) as writer:
            writer.write(noise(1000))
            raise error

    with pytest.raises((KeyboardInterrupt, OSError)):
        write_and_fail()
    assert os.listdir(tmp_path) == ["kept.wav"]
    assert audio.info(tmp_path / "kept.wav").samples == 10


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "m4a", "opus"])
def test_a_full_disk_is_told(tmp_path, suffix):
    """A limit on file sizes stands in for the full disk."""
    code = f"""
import resource, signal
import numpy as np
from kerasep.data import audio
from kerasep.data.audio import writer as writing
from kerasep.errors import InputError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
noise = np.random.default_rng(0).uniform(-1, 1, (200_000, 1))
try:
    audio.write({str(tmp_path / "out")!r} + ".{suffix}", noise, 16000)
except InputError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "cannot write" in done.stdout
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32"])
@pytest.mark.parametrize("name", ["out.wav", "out.flac"])
def test_integers_are_scaled(tmp_path, dtype, name):
    limits = np.iinfo(dtype)
    values = np.array([[limits.max], [limits.min], [(limits.max + limits.min + 1) // 2]], dtype)
    audio.write(tmp_path / name, values, RATE)
    waveform, _ = audio.read(tmp_path / name)
    np.testing.assert_allclose(waveform, [[1], [-1], [0]], atol=2.0 / 2**8)


@pytest.mark.parametrize("dtype", ["bool", "int64", "uint16", "complex64"])
def test_numbers_of_unknown_scale_are_refused(tmp_path, dtype):
    with pytest.raises(InputError, match=rf"cannot write .*out\.wav: received {dtype}"):
        audio.write(tmp_path / "out.wav", np.zeros((5, 1), dtype), RATE)
    with (
        pytest.raises(InputError, match=rf"out\.wav: received {dtype}"),
        audio.Writer(tmp_path / "out.wav", RATE, 1) as writer,
    ):
        writer.write(np.zeros((5, 1), dtype))
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(("samples", "kind"), [(1000, b"RIFF"), (1001, b"RF64"), (5000, b"RF64")])
def test_a_wav_too_long_for_its_header_becomes_rf64(tmp_path, monkeypatch, samples, kind, known):
    monkeypatch.setattr(encoders, "_WAV_BYTES", 8000)
    values, path = noise(samples), tmp_path / "out.wav"
    with audio.Writer(path, RATE, 2, samples=samples if known else None) as writer:
        for first in range(0, samples, 600):
            writer.write(values[first : first + 600])
    assert path.read_bytes()[:4] == kind
    assert (audio.info(path).samples, audio.info(path).sample_rate) == (samples, RATE)
    np.testing.assert_array_equal(audio.read(path)[0], values)
    np.testing.assert_array_equal(audio.read(path, start=samples - 10)[0], values[-10:])
    np.testing.assert_array_equal(np.concatenate(list(audio.stream(path))), values)
    assert os.listdir(tmp_path) == ["out.wav"]


def test_a_disk_that_fills_up_on_the_way_to_rf64(tmp_path, monkeypatch):
    monkeypatch.setattr(encoders, "_WAV_BYTES", 8000)

    def full(*_):
        raise KeyboardInterrupt

    def write():
        with audio.Writer(tmp_path / "out.wav", RATE, 2) as writer:
            writer.write(noise(900))
            monkeypatch.setattr(encoders.os, "replace", full)
            writer.write(noise(900))

    with pytest.raises(KeyboardInterrupt):
        write()
    assert os.listdir(tmp_path) == []


def test_the_length_decides_at_4_gib(tmp_path):
    def kind(suffix, bits, samples):
        path, encoding = tmp_path / f"a{suffix}", encodings.ENCODINGS[suffix]
        with contextlib.closing(
            encoders.SoundFileEncoder(path, encoding, bits, RATE, 2, samples)
        ) as encoder:
            return encoder.format

    limit = 2**29 - 8192
    assert [kind(".wav", "32f", limit), kind(".wav", "32f", 2**29)] == ["WAV", "RF64"]
    assert [kind(".wav", "16", 2 * limit), kind(".wav", "16", 2**30)] == ["WAV", "RF64"]
    assert kind(".flac", "24", 2**32) == "FLAC"
