"""Stems at the recording's own rate: what lies outside the model's band, to the sample."""

import itertools
import logging
import tracemalloc

import numpy as np
import pytest
import soxr

from kerasep import data
from kerasep.errors import InputError
from kerasep.separation import separate, separate_file
from kerasep.separation.bands import reader, stems
from kerasep.separation.chunks import ChunkSeparator

RATE = 16000
GAINS = np.array([0.3, 0.7], "float32")
SHARES = ChunkSeparator(
    lambda x: x[..., None] * GAINS,
    ("vocals", "accompaniment"),
    RATE,
    1,
    chunk=8000,
    overlap=800,
    residual="accompaniment",
)
LOST = SHARES._replace(residual=None)


def noise(samples, channels=1):
    values = np.random.default_rng(samples).standard_normal((samples, channels))
    return (0.2 * values).astype("float32")


def decibels(signal, error):
    return 10 * np.log10(np.square(signal).sum() / max(np.square(error).sum(), 1e-30))


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000, 192000])
def test_stems_add_up_to_the_recording(rate, channels):
    """Whole and short recordings; none of the sums is exact without the residual's share."""
    separator = SHARES._replace(channels=min(channels, 2))
    for samples in (6, 100, rate + 17):
        mixture = noise(samples, channels)
        separated = separate(separator, mixture, rate)
        assert decibels(mixture, sum(separated.values()) - mixture) > 100
        within = separate(separator, mixture, rate, band="model")
        assert decibels(mixture, sum(within.values()) - mixture) < 30
        np.testing.assert_array_equal(separated["vocals"], within["vocals"])


def test_the_model_s_band_is_resampling_there_and_back():
    mixture = noise(30000, 2)
    back = np.zeros_like(mixture)
    resampled = soxr.resample(soxr.resample(mixture, 44100, RATE), RATE, 44100)[:30000]
    back[: len(resampled)] = resampled
    within = separate(SHARES, mixture, 44100, band="model")
    np.testing.assert_allclose(within["accompaniment"], 0.7 * back, atol=1e-5)
    full = separate(SHARES, mixture, 44100)
    np.testing.assert_allclose(full["accompaniment"], mixture - 0.3 * back, atol=1e-5)


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_an_impulse_above_the_band_arrives_at_its_sample(rate):
    position = 2 * rate + 123  # in the fifth chunk
    burst = np.zeros((3 * rate, 2), "float32")
    time = np.arange(-60, 61)
    tone = np.hanning(121) * np.cos(2 * np.pi * 13000 / rate * time)
    burst[position - 60 : position + 61, 0] = tone
    separated = separate(SHARES, burst, rate)
    assert decibels(burst, separated["accompaniment"] - burst) > 60
    assert int(np.argmax(np.abs(separated["accompaniment"][:, 0]))) == position
    assert np.abs(separated["vocals"]).max() < 1e-3
    assert np.abs(separate(SHARES, burst, rate, band="model")["accompaniment"]).max() < 1e-3


def test_equal_rates_change_nothing():
    mixture = noise(20000, 2)
    for band in ("full", "model"):
        separated = separate(SHARES, mixture, RATE, band=band)
        np.testing.assert_array_equal(separated["accompaniment"], GAINS[1] * mixture)


def test_blocks_of_any_size_give_the_same():
    mixture = noise(50000, 2)
    whole = np.concatenate(list(stems(SHARES, [mixture], 44100, 50000)))
    blocks = np.split(mixture, [1, 7, 7, 30000, 30001, 49999])
    parts = np.concatenate(list(stems(SHARES, blocks, 44100, 50000)))
    assert decibels(mixture, parts.sum(-1) - mixture) > 100
    np.testing.assert_allclose(parts, whole, atol=1e-5)


def test_files_have_the_full_band(tmp_path):
    mixture = noise(60000, 2)
    data.write(tmp_path / "song.wav", mixture, 44100)
    paths = separate_file(SHARES, tmp_path / "song.wav", tmp_path / "full")
    total = sum(data.read(path)[0] for path in paths.values())
    assert decibels(mixture, total - mixture) > 100
    paths = separate_file(SHARES, tmp_path / "song.wav", tmp_path / "model", band="model")
    within = separate(SHARES, mixture, 44100, band="model")["accompaniment"]
    np.testing.assert_allclose(data.read(paths["accompaniment"])[0], within, atol=1e-5)


def test_the_mixture_waits_in_constant_memory():
    def peak(seconds):
        blocks = (noise(44100, 2) for _ in range(seconds))
        tracemalloc.start()
        length = sum(len(block) for block in stems(SHARES, blocks, 44100, 44100 * seconds))
        assert length == 44100 * seconds
        try:
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(1)  # which loads and fills what stays
    assert peak(60) < 1.2 * peak(6)


def test_silence_stays_silence():
    separated = separate(SHARES, np.zeros((30000, 2), "float32"), 44100)
    assert not any(stem.any() for stem in separated.values())


@pytest.mark.parametrize(
    ("separator", "rate", "band", "said"),
    [
        (LOST, 44100, "full", True),
        (LOST._replace(interchangeable=True), 22050, "full", True),
        (LOST, 44100, "model", False),
        (LOST, 16000, "full", False),
        (LOST, 8000, "full", False),
        (SHARES, 44100, "full", False),
    ],
)
def test_the_log_says_where_stems_end(caplog, separator, rate, band, said):
    with caplog.at_level(logging.WARNING):
        separated = separate(separator, noise(9000), rate, band=band)
    expected = "the stems of vocals, accompaniment end at 8000 Hz: none of them stands for the rest"
    assert (expected in caplog.text) == said
    within = separate(LOST, noise(9000), rate, band="model")
    if separator is not SHARES:
        np.testing.assert_array_equal(separated["vocals"], within["vocals"])


def test_an_unknown_band_is_refused(tmp_path):
    data.write(tmp_path / "song.wav", noise(100), RATE)
    for call in (
        lambda: separate(SHARES, noise(100), band="half"),
        lambda: separate_file(SHARES, tmp_path / "song.wav", tmp_path / "stems", band="half"),
    ):
        with pytest.raises(InputError, match="received band='half', expected full or model"):
            call()
    assert not (tmp_path / "stems").exists()


def test_a_reader_returns_samples_in_order_and_then_zeros():
    values = np.arange(1, 11, dtype="float32")[:, None]
    read = reader(itertools.chain(np.split(values, [3, 3, 4])))
    assert [read(n)[:, 0].tolist() for n in (2, 0, 3, 8)] == [
        [1, 2], [], [3, 4, 5], [6, 7, 8, 9, 10, 0, 0, 0]
    ]  # fmt: skip
