"""Multi-resolution losses against frames and FFTs written out in float64."""

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import losses
from kerasep.errors import InputError


def spectra(x, n_fft, hop, length):
    window = np.zeros(n_fft)
    first = (n_fft - length) // 2
    window[first : first + length] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    x = np.pad(x.astype("float64"), n_fft // 2)
    starts = range(0, len(x) - n_fft + 1, hop)
    return np.fft.rfft([window * x[start : start + n_fft] for start in starts])


def distance(true, estimated, resolutions):
    total = 0
    for resolution in resolutions:
        s, e = (np.abs(spectra(x, *resolution)) for x in (true, estimated))
        total += np.linalg.norm(s - e) / np.linalg.norm(s)
        total += np.abs(np.log(np.maximum(s, 1e-7)) - np.log(np.maximum(e, 1e-7))).mean()
    return total / len(resolutions)


@pytest.mark.parametrize("options", [{}, {"resolutions": ((256, 64, 256), (64, 16, 33))}])
def test_formula(rng, options):
    true = rng.standard_normal((2, 1500, 2, 2)).astype("float32")
    estimated = (0.7 * true + 0.2 * rng.standard_normal(true.shape)).astype("float32")
    loss = losses.MultiResolutionSTFT(reduction=None, **options)
    each = [
        [
            distance(true[b, :, c, s], estimated[b, :, c, s], loss.resolutions)
            for c, s in np.ndindex(2, 2)
        ]
        for b in range(2)
    ]
    received = convert_to_numpy(loss(true, estimated))
    np.testing.assert_allclose(received, np.mean(each, axis=1), rtol=1e-4)


def test_formula_of_complex_spectra(rng):
    true, estimated = rng.standard_normal((2, 2, 1500, 2, 2)).astype("float32")
    loss = losses.MultiResolutionSpectrum(((256, 64, 256), (64, 16, 33)), reduction=None)
    expected = [
        sum(
            np.mean([np.abs(spectra(e[:, c, s], *sizes)) for c, s in np.ndindex(2, 2)])
            for sizes in loss.resolutions
        )
        for e in true - estimated
    ]
    np.testing.assert_allclose(convert_to_numpy(loss(true, estimated)), expected, rtol=1e-4)


SHORT = {"resolutions": ((256, 64, 256), (64, 16, 33)), "reduction": None}


@pytest.mark.parametrize("level", [1e-2, 1.0, 1e4])
def test_a_silent_source_does_not_drown_the_others(rng, gradients, level):
    true = rng.standard_normal((4, 1500, 1, 2)).astype("float32")
    estimated = (level * rng.standard_normal(true.shape)).astype("float32")
    true[0] = 0
    true[1, :, :, 0] = 0
    loss = losses.MultiResolutionSTFT(**SHORT)
    silent, one_silent, *_ = convert_to_numpy(loss(true, estimated))
    assert silent < 10 + 21  # the largest convergence, and the logarithm of 1e4 over 1e-5
    assert one_silent < silent
    # Still, the gradients point towards silence.
    _, (_, slopes) = gradients(lambda s, e: loss(s, e)[0], true, estimated)
    quieter = estimated - 0.1 * level * slopes / np.abs(slopes).max()
    assert np.square(quieter[0]).sum() < np.square(estimated[0]).sum()


@pytest.mark.parametrize("level", [1e-2, 1.0, 1e3])
@pytest.mark.parametrize("times", [0.1, 1.0, 5.0])
def test_formula_at_every_level(rng, level, times):
    true = (level * rng.standard_normal((1, 1500, 1, 1))).astype("float32")
    estimated = (times * level * rng.standard_normal(true.shape)).astype("float32")
    loss = losses.MultiResolutionSTFT(**SHORT)
    expected = distance(true[0, :, 0, 0], estimated[0, :, 0, 0], loss.resolutions)
    np.testing.assert_allclose(convert_to_numpy(loss(true, estimated)), [expected], rtol=2e-3)


def test_defaults_are_the_paper_s():
    assert losses.MultiResolutionSTFT().resolutions == [
        [1024, 120, 600],
        [2048, 240, 1200],
        [512, 50, 240],
    ]


def test_what_is_no_resolution():
    for wrong in [(512, 128), (512, 128, 513), (512, 400, 512), (511, 128, 400)]:
        with pytest.raises(InputError, match=r"received.*expected"):
            losses.MultiResolutionSTFT([wrong])
