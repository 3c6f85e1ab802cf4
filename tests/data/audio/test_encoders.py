"""MP3, M4A and Opus hold every sample in its place, and integer formats the nearest integers."""

import numpy as np
import pytest
import soundfile

from kerasep.data import audio
from kerasep.data.audio.audio_info import AudioInfo
from kerasep.data.audio.encodings import encoded_info
from kerasep.errors import InputError


def song(samples, rate, channels):
    """Slowly changing tones, which lossy codecs keep well, and a lag would shift."""
    time = np.arange(samples) / rate
    drift = np.cumsum(np.random.default_rng(0).normal(0, 0.01, samples))
    tones = [0.3 * np.sin(2 * np.pi * (300 + 200 * c) * time + drift) for c in range(channels)]
    return np.stack(tones, axis=1).astype("float32")


def snr(reference, estimate):
    error = np.sum((reference - estimate) ** 2, dtype="float64")
    return 10 * np.log10(np.sum(reference**2, dtype="float64") / error)


@pytest.mark.parametrize("suffix", [".mp3", ".m4a", ".opus"])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("samples", [100, 1500, 48000 + 777, 144005])
def test_lossy_files_have_every_sample_in_its_place(tmp_path, suffix, channels, samples):
    path = tmp_path / f"out{suffix}"
    values = song(samples, 48000, channels)
    with audio.Writer(path, 48000, channels) as writer:
        for first in range(0, samples, 1000):
            writer.write(values[first : first + 1000])
    waveform, rate = audio.read(path)
    assert (waveform.shape, rate) == (values.shape, 48000)
    if samples > 10_000:
        inside = slice(2000, -2000)
        scores = [snr(values[inside], np.roll(waveform, lag, 0)[inside]) for lag in (-1, 0, 1)]
        assert scores[1] == max(scores)
        assert scores[1] > 25
        # The level is kept, so that stems still add up: LAME turns most bit rates down.
        gain = np.vdot(waveform[inside], values[inside]) / np.vdot(values[inside], values[inside])
        assert gain == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    ("suffix", "rate", "written"),
    [
        (".mp3", 16000, 16000),
        (".mp3", 96000, 48000),
        (".m4a", 44100, 44100),
        (".opus", 44100, 48000),
    ],
)
def test_rates_that_a_format_lacks_are_resampled(tmp_path, suffix, rate, written):
    path, samples = tmp_path / f"out{suffix}", rate + 123
    audio.write(path, song(samples, rate, 1), rate)
    expected = encoded_info(AudioInfo(rate, samples, 1), suffix)
    assert expected == (written, round(samples * written / rate), 1)
    assert audio.info(path) == expected
    inside = slice(4000, -4000)
    again = audio.read(path)[0]
    reference = audio.resample(song(samples, rate, 1), rate, written)
    assert snr(reference[:, 0][inside], again[: len(reference), 0][inside]) > 25


@pytest.mark.parametrize("suffix", [".ogg", ".mp3", ".m4a", ".opus"])
def test_more_than_two_channels_are_refused(tmp_path, suffix):
    with pytest.raises(InputError, match=r"received 3 channels, expected at most 2 .* use \.wav"):
        audio.write(tmp_path / f"out{suffix}", np.zeros((100, 3), "float32"), 44100)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "bits", "subtype"),
    [
        ("a.wav", None, "FLOAT"),
        ("a.wav", "32f", "FLOAT"),
        ("a.wav", "24", "PCM_24"),
        ("a.wav", "16", "PCM_16"),
        ("a.wav", 24, "PCM_24"),
        ("a.flac", None, "PCM_24"),
        ("a.flac", "16", "PCM_16"),
    ],
)
def test_bits(tmp_path, name, bits, subtype):
    values = np.random.default_rng(0).uniform(-1, 1, (5000, 2)).astype("float32")
    audio.write(tmp_path / name, values, 44100, bits=bits)
    assert soundfile.info(tmp_path / name).subtype == subtype
    read = audio.read(tmp_path / name)[0]
    if subtype == "FLOAT":
        np.testing.assert_array_equal(read, values)
        return
    steps = 1 << (int(subtype[-2:]) - 1)
    expected = np.minimum(np.rint(values.astype("float64") * steps), steps - 1) / steps
    np.testing.assert_array_equal(read, expected.astype("float32"))
    # What 16 or 24 bits hold comes back to the last bit.
    audio.write(tmp_path / name, read, 44100, overwrite=True, bits=bits)
    np.testing.assert_array_equal(audio.read(tmp_path / name)[0], read)


@pytest.mark.parametrize(
    ("name", "bits", "words"),
    [
        ("a.flac", "32f", "received 32f bits, expected one of 24, 16"),
        ("a.wav", "8", "received 8 bits, expected one of 32f, 16, 24"),
        ("a.mp3", "16", "expected no bits for this format"),
        ("a.ogg", "", "expected no bits for this format"),
    ],
)
def test_bits_that_a_format_lacks(tmp_path, name, bits, words):
    with pytest.raises(InputError, match=words):
        audio.write(tmp_path / name, np.zeros((10, 1), "float32"), 44100, bits=bits)


@pytest.mark.parametrize("name", ["a.flac", "a.mp3", "a.wav"])
def test_samples_beyond_full_scale(tmp_path, caplog, name):
    values = 1.5 * song(20000, 44100, 1) / 0.3
    audio.write(tmp_path / name, values, 44100, bits="16" if name == "a.wav" else None)
    count = int(np.sum(np.abs(values) > 1))
    assert (
        f"{count} samples beyond full scale are clipped (the peak is at +3.5 dBFS)" in caplog.text
    )
    clipped = np.clip(values, -1, 1)[2000:-2000]
    assert snr(clipped, audio.read(tmp_path / name)[0][2000:-2000]) > 20
