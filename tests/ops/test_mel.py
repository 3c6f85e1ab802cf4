"""Mel filters against their formula in float64, and published values of the scale."""

import numpy as np
import pytest

from kerasep import ops
from kerasep.errors import InputError
from kerasep.ops import mel


def triangles(edges, n_fft, sample_rate):
    """Filters `(bins, mels)` that rise and fall between neighbouring edges in Hz."""
    frequencies = np.arange(n_fft // 2 + 1) * sample_rate / n_fft
    return np.stack(
        [np.interp(frequencies, edges[i : i + 3], [0, 1, 0]) for i in range(len(edges) - 2)], axis=1
    )


def test_htk():
    top = 2595 * np.log10(1 + 7600 / 700)
    bottom = 2595 * np.log10(1 + 80 / 700)
    edges = 700 * (10 ** (np.linspace(bottom, top, 42) / 2595) - 1)
    received = ops.mel_filterbank(1024, 16000, 40, low=80, high=7600, scale="htk")
    assert received.dtype == "float32"
    np.testing.assert_allclose(received, triangles(edges, 1024, 16000), atol=1e-6)


def test_slaney():
    top = 15 + 27 * np.log(22050 / 1000) / np.log(6.4)
    mels = np.linspace(0, top, 130)
    edges = np.where(mels < 15, mels * 200 / 3, 1000 * 6.4 ** ((mels - 15) / 27))
    expected = triangles(edges, 4096, 44100) * (2 / (edges[2:] - edges[:-2]))
    received = ops.mel_filterbank(4096, 44100, 128)
    np.testing.assert_allclose(received, expected, atol=1e-6 * expected.max())


def test_slaney_filters_have_unit_area():
    area = ops.mel_filterbank(16384, 16000, 40).sum(axis=0) * 16000 / 16384
    np.testing.assert_allclose(area, 1, rtol=1e-2)


def test_values_of_the_scales():
    # Slaney's toolbox: 15 mels at 1 kHz, 42 at 6.4 kHz. HTK: 1 kHz is 1000 mels.
    np.testing.assert_allclose(mel._slaney_mel([200, 1000, 6400]), [3, 15, 42])
    np.testing.assert_allclose(mel._slaney_hertz(np.array([3, 15, 42])), [200, 1000, 6400])
    np.testing.assert_allclose(mel._htk_mel(1000), 1000, atol=0.02)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mels": 128, "n_fft": 256}, "mels=128.*fewer bands"),
        ({"low": 5000, "high": 4000}, "5000 to 4000"),
        ({"high": 9000}, "8000"),
        ({"scale": "bark"}, "'bark'.*slaney or htk"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(InputError, match=message):
        ops.mel_filterbank(**{"n_fft": 1024, "sample_rate": 16000, "mels": 40, **arguments})
