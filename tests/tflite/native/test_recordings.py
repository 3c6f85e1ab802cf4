"""The C code separates as Python's runtime does."""

import numpy as np
import pytest
import soundfile

from kerasep.tflite import Runtime


# One chunk and less, one sample more, many; channels that need groups, or one filled up.
@pytest.mark.parametrize(
    ("samples", "channels"),
    [(2, 1), (100, 2), (7999, 1), (8000, 2), (8001, 2), (20011, 3), (50000, 1), (50000, 2)],
)
def test_recordings_equal_the_runtime(
    sanitized, separated, assert_agrees, exported, noise, tmp_path, samples, channels
):
    audio = noise(samples, channels)
    soundfile.write(tmp_path / "a.wav", audio, 8000, "FLOAT")
    received = separated(sanitized, exported[1], tmp_path / "a.wav", tmp_path / "stems")
    assert_agrees(received, Runtime(exported[1], threads=1).separate(audio))


@pytest.mark.parametrize("samples", [399, 400, 401, 3001])
def test_sources_in_any_order_are_put_into_one(
    sanitized, separated, assert_agrees, tiny, noise, tmp_path, samples
):
    audio = noise(samples, 2)
    assert np.ptp(np.sign(audio[:399].sum(0))) > 0, "both channels have their sources in one order"
    soundfile.write(tmp_path / "a.wav", audio, 8000, "FLOAT")
    received = separated(sanitized, tiny, tmp_path / "a.wav", tmp_path / "stems")
    assert_agrees(received, Runtime(tiny, threads=1).separate(audio))
