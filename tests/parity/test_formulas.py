"""Ratios and mel bands against their formulas, written out once more in float64 NumPy."""

import numpy as np
import pytest

from kerasep import ops

pytestmark = pytest.mark.parity


def decibels(signal, noise):
    return 10 * np.log10(np.sum(signal**2) / np.sum(noise**2))


def expected_ratios(reference, estimate):
    scaled = reference * np.dot(reference, estimate) / np.dot(reference, reference)
    centred = [signal - signal.mean() for signal in (reference, estimate)]
    projected = centred[0] * np.dot(*centred) / np.dot(centred[0], centred[0])
    return {
        "snr": decibels(reference, reference - estimate),
        "si_sdr": decibels(scaled, scaled - estimate),
        "si_snr": decibels(projected, projected - centred[1]),
        "sd_sdr": decibels(scaled, reference - estimate),
    }


@pytest.mark.parametrize("name", ["snr", "si_sdr", "si_snr", "sd_sdr"])
@pytest.mark.parametrize("noise_level", [10.0, 1.0, 0.1, 0.01])
@pytest.mark.parametrize("offset", [0.0, 0.3])
def test_ratio(name, noise_level, offset):
    random = np.random.default_rng(0)
    reference = 0.1 * random.standard_normal((2, 44100, 2)).astype("float32")
    noise = 0.1 * noise_level * random.standard_normal(reference.shape)
    estimate = (0.8 * reference + noise + offset).astype("float32")
    ours = np.asarray(getattr(ops, name)(reference, estimate))
    for batch, channel in np.ndindex(2, 2):
        signals = (signal[batch, :, channel].astype("float64") for signal in (reference, estimate))
        assert abs(ours[batch, channel] - expected_ratios(*signals)[name]) < 1e-3


def slaney_hertz(mel):
    return mel * 200 / 3 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)


def htk_hertz(mel):
    return 700 * (np.exp(mel / 1127.01048) - 1)


@pytest.mark.parametrize(("n_fft", "mels", "rate"), [(2048, 128, 44100), (1024, 64, 16000)])
@pytest.mark.parametrize("scale", ["slaney", "htk"])
def test_mel_filterbank(n_fft, mels, rate, scale):
    # The top of each scale follows from the definition in the other direction.
    if scale == "slaney":
        top, hertz = 15 + 27 * np.log(rate / 2000) / np.log(6.4), slaney_hertz
    else:
        top, hertz = 1127.01048 * np.log1p(rate / 1400), htk_hertz
    edges = [hertz(mel) for mel in np.linspace(0, top, mels + 2)]
    frequencies = np.arange(n_fft // 2 + 1) * rate / n_fft
    expected = np.stack(
        [np.interp(frequencies, edges[i : i + 3], [0, 1, 0]) for i in range(mels)], axis=1
    )
    if scale == "slaney":
        expected *= 2 / (np.array(edges[2:]) - np.array(edges[:-2]))
    ours = ops.mel_filterbank(n_fft, rate, mels, scale=scale)
    assert np.abs(ours - expected).max() < 1e-4 * expected.max()
