"""Malformed audio files: refused in one line, or read as finite samples, in bounded time."""

import subprocess
import time

import imageio_ffmpeg
import numpy as np
import pytest
import soundfile

from kerasep.data import audio
from kerasep.errors import InputError

pytestmark = pytest.mark.slow

RATE = 16000
SECONDS = 10  # that a file of a second may take


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    time = np.arange(RATE) / RATE
    tone = 0.3 * np.sin(2 * np.pi * (300 + 200 * time) * time)[:, None].repeat(2, axis=1)
    for kind in ("WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC"):
        soundfile.write(folder / f"a.{kind.lower()}", tone, RATE, "PCM_16", format=kind)
    soundfile.write(folder / "float.wav", tone, RATE, "FLOAT")
    program = imageio_ffmpeg.get_ffmpeg_exe()
    for codec, suffix in (
        ("libmp3lame", "mp3"),
        ("libmp3lame", "mp3.wav"),
        ("libvorbis", "ogg"),
        ("libopus", "opus"),
        ("libopus", "webm"),
        ("aac", "m4a"),
        ("alac", "m4a"),
        ("pcm_s16le", "mov"),
        ("aac", "aac"),
        ("ac3", "ac3"),
        ("aac", "flv"),
        ("mp2", "ts"),
        ("tta", "tta"),
        ("adpcm_ms", "wav"),
    ):
        command = [program, "-y", "-v", "error", "-i", folder / "a.wav", "-c:a", codec]
        subprocess.run([*command, folder / f"{codec}.{suffix}"], check=True)
    return sorted(folder.iterdir())


def mutated(data, rng):
    """Damage a file as disks, networks and attackers do; headers are hit most."""
    data = bytearray(data)
    kind = rng.integers(6)
    if kind == 0:
        return data[: rng.integers(1, len(data))]
    if kind == 1:
        return data + data[rng.integers(len(data)) :]
    for _ in range(rng.integers(1, 8)):
        limit = len(data) if kind == 2 else min(len(data), 512)
        at = int(rng.integers(limit))
        if kind == 3:  # the extremes of a field
            width = int(rng.choice([1, 2, 4, 8]))
            value = rng.choice([b"\x00", b"\xff", b"\x7f", b"\x80"])
            data[at : at + width] = value * width
        elif kind == 4:
            del data[at : at + int(rng.integers(1, 64))]
        else:
            data[at] = rng.integers(256)
    return data or b"\x00"


def test_malformed_audio(files, tmp_path, cases, capfd):
    refused = 0
    for seed, rng in cases(400):
        source = files[seed % len(files)]
        path = tmp_path / f"{seed}{source.name}"
        path.write_bytes(mutated(source.read_bytes(), rng))
        begun = time.process_time()
        try:
            info = audio.info(path)
            waveform, rate = audio.read(path)
            assert np.isfinite(waveform).all(), seed
            assert (rate, *waveform.shape) == (info.sample_rate, info.samples, info.channels), seed
            start = int(rng.integers(info.samples))
            part, _ = audio.read(path, start=start, samples=min(500, info.samples - start))
            assert part.shape[1] == info.channels, seed
            message = ""
        except InputError as error:
            refused += 1
            message = str(error)
        assert "\n" not in message, seed
        assert time.process_time() - begun < SECONDS, seed
        path.unlink()
    assert 0 < refused < seed
    assert capfd.readouterr() == ("", "")
