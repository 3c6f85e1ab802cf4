"""Sums of losses, and weights of sources."""

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import losses
from kerasep.errors import InputError


def noisy(rng):
    true = rng.standard_normal((3, 100, 2, 2)).astype("float32")
    return true, (true + rng.standard_normal(true.shape)).astype("float32")


def test_sum(rng):
    pair = noisy(rng)
    loss = losses.WeightedSum([losses.SISDR(), losses.Waveform(2)], [0.5, 3.0], reduction=None)
    parts = [losses.SISDR(reduction=None)(*pair), losses.Waveform(2, reduction=None)(*pair)]
    expected = 0.5 * convert_to_numpy(parts[0]) + 3 * convert_to_numpy(parts[1])
    np.testing.assert_allclose(convert_to_numpy(loss(*pair)), expected, rtol=1e-5)


def test_sum_of_losses_of_keras(rng):
    pair = noisy(rng)
    loss = losses.WeightedSum(["MeanSquaredError", keras.losses.MeanAbsoluteError()])
    error = pair[0].astype("float64") - pair[1]
    expected = (error**2).mean() + np.abs(error).mean()
    np.testing.assert_allclose(convert_to_numpy(loss(*pair)), expected, rtol=1e-5)


def test_sources(rng):
    true, estimated = noisy(rng)
    loss = losses.SourceWeighted(losses.Waveform(2), [3.0, 0.5], reduction=None)
    squares = ((true - estimated.astype("float64")) ** 2).mean(axis=(1, 2))
    expected = (squares * [3.0, 0.5]).mean(axis=1)
    np.testing.assert_allclose(convert_to_numpy(loss(true, estimated)), expected, rtol=1e-5)


def test_sources_of_spectrograms(rng):
    reference = rng.standard_normal((2, 6, 5, 2, 3, 2)).astype("float32")
    estimate = rng.random((2, 6, 5, 2, 2)).astype("float32")
    errors = np.abs(np.linalg.norm(reference[..., 1:, :], axis=-1) - estimate)
    expected = (errors.mean(axis=(1, 2, 3)) * [0.2, 2.0]).mean()
    loss = losses.SourceWeighted(losses.MagnitudeSpectrum(), [0.2, 2.0])
    np.testing.assert_allclose(convert_to_numpy(loss(reference, estimate)), expected, rtol=1e-5)


def test_sum_of_source_weights(rng):
    """Sums and source weights can be nested."""
    pair = noisy(rng)
    inner = losses.WeightedSum([losses.SNR(), losses.Waveform(2)], [1.0, 4.0])
    one = losses.SourceWeighted(inner, [3.0, 0.5])
    parts = [losses.SourceWeighted(loss, [3.0, 0.5]) for loss in (losses.SNR(), losses.Waveform(2))]
    other = losses.WeightedSum(parts, [1.0, 4.0])
    np.testing.assert_allclose(
        convert_to_numpy(one(*pair)), convert_to_numpy(other(*pair)), rtol=1e-4
    )


def test_wrong_numbers(rng):
    for given in [([], None), ([losses.SNR()], [1.0, 2.0])]:
        with pytest.raises(InputError, match=r"received \d losses.*expected"):
            losses.WeightedSum(*given)
    with pytest.raises(InputError, match=r"received 2 sources, expected 3"):
        losses.SourceWeighted(losses.SNR(), [1.0, 2.0, 3.0])(*noisy(rng))
