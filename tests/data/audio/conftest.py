"""Recordings that FFmpeg encoded and decoded, shared by all tests of a session."""

import functools
import logging
import subprocess

import imageio_ffmpeg
import numpy as np
import pytest
import soundfile

from kerasep.data.audio import audio_info

SECONDS = 3


@pytest.fixture(scope="session")
def original():
    """Function that returns three seconds of glides, different in each channel."""

    @functools.cache
    def waveform(rate, channels):
        time = np.arange(SECONDS * rate) / rate
        glides = [
            np.sin(2 * np.pi * (200 + 60 * channel + (300 + 70 * channel) * time) * time)
            for channel in range(channels)
        ]
        envelope = 0.2 + 0.1 * np.sin(2 * np.pi * 3 * time)
        return (np.stack(glides, axis=1) * envelope[:, None]).astype("float32")

    return waveform


@pytest.fixture(scope="session")
def ffmpeg():
    """Function that runs FFmpeg."""

    def run(*arguments):
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", "-nostdin"]
        return subprocess.run([*command, *map(str, arguments)], check=True, capture_output=True)

    return run


@pytest.fixture(scope="session")
def decoded_by_ffmpeg(ffmpeg):
    """Function that returns FFmpeg's decoding of a file."""

    def decode(path, channels):
        output = ffmpeg("-i", path, "-map", "0:a:0", "-f", "f32le", "-").stdout
        return np.frombuffer(output, "<f4").reshape(-1, channels)

    return decode


@pytest.fixture(scope="session")
def originals(tmp_path_factory, original):
    """Function that returns the path of an original as a WAV file."""
    folder = tmp_path_factory.mktemp("originals")

    @functools.cache
    def path(rate=44100, channels=2):
        file = folder / f"{rate}x{channels}.wav"
        soundfile.write(file, original(rate, channels), rate, "PCM_24")
        return file

    return path


@pytest.fixture(scope="session")
def encoded(tmp_path_factory, originals, ffmpeg):
    """Function that encodes an original in several containers by one run of FFmpeg.

    It returns the paths by container, beside each of which `PATH.f32` is FFmpeg's decoding.
    """

    @functools.cache
    def encode(codec, containers, rate=44100, channels=2):
        folder = tmp_path_factory.mktemp(codec)
        paths = {container: folder / f"a.{container}" for container in containers.split()}
        outputs = [("-c:a", codec, "-strict", "-2", path) for path in paths.values()]
        ffmpeg("-i", originals(rate, channels), *(word for output in outputs for word in output))
        inputs = [word for path in paths.values() for word in ("-i", path)]
        outputs = [
            ("-map", f"{index}:a:0", "-f", "f32le", f"{path}.f32")
            for index, path in enumerate(paths.values())
        ]
        ffmpeg(*inputs, *(word for output in outputs for word in output))
        return paths

    return encode


@pytest.fixture
def log(caplog):
    """The library's log, in which each warning can appear again."""
    audio_info.warn_once.cache_clear()
    caplog.set_level(logging.INFO, "kerasep")
    return caplog
