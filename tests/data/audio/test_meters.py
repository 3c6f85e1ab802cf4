"""Levels, silence, clipping and fingerprints, for blocks of any size."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasep.data.audio.meters import Meter, SumMeter

RATE = 1000


def measure(samples, cuts=(), rate=RATE):
    meter = Meter(rate)
    for block in np.split(samples, sorted(cuts)):
        if len(block):
            meter.add(block)
    return meter


def noise(samples=RATE, channels=1, seed=0):
    values = np.random.default_rng(seed).uniform(-0.5, 0.5, (samples, channels))
    return values.astype("float32")


def test_levels():
    time = np.arange(RATE)[:, None] / RATE
    meter = measure((0.5 * np.sin(2 * np.pi * 50 * time)).astype("float32"))
    assert meter.peak_db == pytest.approx(20 * math.log10(0.5), abs=1e-3)
    assert meter.rms_db == pytest.approx(20 * math.log10(0.5 / math.sqrt(2)), abs=1e-3)
    assert (meter.silence, meter.clipped) == (0, 0)
    silent = measure(np.zeros((RATE, 2), "float32"))
    assert (silent.peak_db, silent.rms_db, silent.silence) == (-math.inf, -math.inf, 1)


def test_silence_is_told_by_tenths_of_a_second():
    samples = noise(1050)
    samples[200:600] = 0.0009
    assert measure(samples).silence == pytest.approx(400 / 1050)
    samples[399] = 0.0011
    assert measure(samples).silence == pytest.approx(300 / 1050)
    samples[1000:] = 0
    assert measure(samples).silence == pytest.approx(350 / 1050)


def test_clipping_is_a_run_at_full_scale():
    samples = noise()
    samples[[5, 10, 11]] = 1.0  # peaks of a normalised file
    assert measure(samples).clipped == 0
    samples[[5, 6, 7, 8]] = [[1.0], [1.0], [-1.0], [1.0]]
    assert measure(samples).clipped == 2


@given(cuts=st.lists(st.integers(0, 1000), max_size=6))
def test_blocks_do_not_matter(cuts):
    samples = noise(channels=2)
    samples[300:650] = 0
    samples[700:710] = 1
    one, many = measure(samples), measure(samples, cuts)
    assert many.fingerprint == one.fingerprint
    assert (many.silence, many.clipped, many.samples) == (one.silence, one.clipped, one.samples)
    assert (many.peak_db, many.rms_db) == pytest.approx((one.peak_db, one.rms_db))


def test_other_samples_have_another_fingerprint():
    samples = noise()
    other = samples.copy()
    other[500] += 1e-4
    assert measure(samples).fingerprint != measure(other).fingerprint


def test_sums():
    stems = [noise(channels=2, seed=seed) for seed in (1, 2)] + [noise(seed=3)]
    total = sum(stems)
    exact, half, other, longer = (SumMeter() for _ in range(4))
    for block in np.split(np.arange(RATE), 5):
        parts = [stem[block] for stem in stems]
        exact.add(total[block], parts)
        half.add(total[block] / 2, parts)
        other.add(noise(RATE, 2, seed=9)[block], parts)
    assert exact.snr_db > 100
    assert half.snr_db == pytest.approx(0, abs=1e-3)
    assert half.scale == pytest.approx(0.5)
    assert half.scaled_snr_db > 100
    assert other.snr_db < 0
    longer.add(np.concatenate([total, total]), stems)
    assert longer.snr_db == pytest.approx(10 * math.log10(2), abs=1e-3)


def test_sums_of_silence():
    silence = SumMeter()
    silence.add(np.zeros((9, 1)), [np.zeros((9, 1))])
    assert silence.snr_db == math.inf
    silence.add(np.zeros((9, 1)), [noise(9)])
    assert silence.snr_db == 0
