"""The multichannel Wiener filter against complex matrices in float64."""

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import ops


def pairs(spectrum):
    return np.stack([spectrum.real, spectrum.imag], axis=-1).astype("float32")


def plain_wiener(mixture, magnitudes, iterations):
    """Compute the filter by the formula in its docstring, on complex (frames, bins, channels)."""
    scale = max(1.0, np.abs(mixture).max() / 10)
    x = mixture.astype("complex128") / scale
    y = magnitudes / scale * np.exp(1j * np.angle(x))[..., None]
    for _ in range(iterations):
        v = (np.abs(y) ** 2).mean(axis=2)
        R = np.einsum("tfcs,tfds->fscd", y, y.conj())
        R /= (1e-10 + v.sum(axis=0))[..., None, None]
        C = np.einsum("tfs,fscd->tfcd", v, R) + 1e-5 * np.eye(x.shape[2])
        z = np.einsum("tfcd,tfd->tfc", np.linalg.inv(C), x)
        y = np.einsum("tfs,fscd,tfd->tfcs", v, R, z)
    return y * scale


def example(rng, channels, sources, level=1.0):
    shape = (30, 5, channels, sources)
    stems = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    stems = level * stems * rng.random(shape[:2] + (1, sources)) ** 2
    magnitudes = np.abs(stems) * rng.uniform(0.7, 1.3, shape)
    return stems.sum(axis=-1), magnitudes


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("iterations", [1, 2])
@pytest.mark.parametrize("level", [1.0, 1e3])
def test_equals_complex_matrices(rng, channels, iterations, level):
    mixture, magnitudes = example(rng, channels, 2, level)
    expected = plain_wiener(mixture, magnitudes, iterations)
    received = ops.wiener(pairs(mixture)[None], magnitudes[None], iterations)
    error = np.abs(convert_to_numpy(received)[0] - pairs(expected)).max()
    assert error < 2e-3 * np.abs(expected).max()


def test_no_iteration_is_the_phase_of_the_mixture(rng):
    mixture, magnitudes = example(rng, 2, 3)
    expected = magnitudes * np.exp(1j * np.angle(mixture))[..., None]
    for received in (
        ops.wiener(pairs(mixture)[None], magnitudes[None], 0),
        ops.mixture_phase(pairs(mixture)[None], magnitudes[None]),
    ):
        np.testing.assert_allclose(convert_to_numpy(received)[0], pairs(expected), atol=1e-5)


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_sources_sum_to_the_mixture(rng, channels):
    mixture, magnitudes = example(rng, channels, 3, level=10)
    spectra = convert_to_numpy(ops.wiener(pairs(mixture)[None], magnitudes[None], 1))
    residual = spectra[0].sum(axis=-2) - pairs(mixture)
    assert np.abs(residual).mean() < 1e-3 * np.abs(mixture).mean()


def test_scale_covariance_of_loud_recordings(rng):
    mixture, magnitudes = example(rng, 2, 2, level=100)
    once = convert_to_numpy(ops.wiener(pairs(mixture)[None], magnitudes[None], 2))
    louder = convert_to_numpy(ops.wiener(8 * pairs(mixture)[None], 8 * magnitudes[None], 2))
    np.testing.assert_allclose(louder, 8 * once, atol=1e-3 * np.abs(louder).max())


@pytest.mark.parametrize("level", [1e-3, 1.0, 10.0, 1e4])
def test_channels_that_are_alike_stay_alike_and_bounded(rng, level):
    """A mono recording in stereo makes every covariance singular."""
    mixture, magnitudes = example(rng, 1, 2, level)
    mixture, magnitudes = np.repeat(mixture, 2, axis=2), np.repeat(magnitudes, 2, axis=2)
    spectra = convert_to_numpy(ops.wiener(pairs(mixture)[None], magnitudes[None], 3))
    assert np.abs(spectra).max() < 5 * np.abs(mixture).max()
    left, right = spectra[..., 0, :, :], spectra[..., 1, :, :]
    np.testing.assert_allclose(left, right, atol=1e-2 * np.abs(mixture).max())


def test_silence(rng):
    mixture, magnitudes = np.zeros((1, 6, 5, 2, 2)), np.zeros((1, 6, 5, 2, 3))
    assert not convert_to_numpy(ops.wiener(mixture, magnitudes, 2)).any()
    assert not convert_to_numpy(ops.wiener(mixture, magnitudes + 1.0, 2)).any()
