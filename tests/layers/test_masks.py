"""The layers that apply masks, invert them, make them binary, and make estimates consistent."""

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep.errors import InputError
from kerasep.layers import ApplyMask, BinaryMask, InvertMask, MixtureConsistency


def test_masks_that_sum_to_one_share_out_the_mixture(rng):
    mask = rng.random((2, 5, 9, 2, 1)).astype("float32")
    both = np.concatenate([mask, convert_to_numpy(InvertMask()(mask))], axis=-1)
    magnitude = rng.random((2, 5, 9, 2)).astype("float32")
    shares = convert_to_numpy(ApplyMask()(both, magnitude))
    np.testing.assert_allclose(shares[..., 0], mask[..., 0] * magnitude, rtol=1e-6)
    np.testing.assert_allclose(shares.sum(axis=-1), magnitude, rtol=1e-5)
    spectrum = rng.standard_normal((2, 5, 9, 2, 2)).astype("float32")
    shares = convert_to_numpy(ApplyMask()(both, spectrum))
    np.testing.assert_allclose(shares[..., 0, :], mask * spectrum, rtol=1e-5)
    np.testing.assert_allclose(shares.sum(axis=-2), spectrum, rtol=1e-5, atol=1e-6)


def test_two_channels_are_not_taken_for_a_spectrum(rng):
    mask = rng.random((1, 5, 9, 2, 3)).astype("float32")
    received = ApplyMask()(mask, np.full((1, 5, 9, 2), 2, "float32"))
    np.testing.assert_array_equal(convert_to_numpy(received), 2 * mask)


@pytest.mark.parametrize(
    ("mask", "mixture"),
    [
        ((1, 5, 9, 2, 3), (1, 5, 8, 2)),
        ((1, 5, 9, 2, 3), (1, 5, 9, 1)),
        ((1, 5, 9, 2), (1, 5, 9, 2)),
        ((1, 5, 9, 2, 3), (1, 5, 9, 2, 3)),
        ((1, 5, 9, 2, 3), (1, 5, 9)),
    ],
)
def test_masks_of_another_mixture_are_refused(mask, mixture):
    with pytest.raises(InputError, match="received a mask"):
        ApplyMask()(np.zeros(mask, "float32"), np.zeros(mixture, "float32"))
    with pytest.raises(InputError, match="received a mask"):
        ApplyMask()(keras.KerasTensor(mask), keras.KerasTensor(mixture))


def test_binary_masks(rng):
    values = rng.random((2, 5, 9, 2, 3)).astype("float32")
    received = convert_to_numpy(BinaryMask()(values))
    np.testing.assert_array_equal(received, values == values.max(axis=-1, keepdims=True))
    received = convert_to_numpy(BinaryMask(0.7)(values))
    np.testing.assert_array_equal(received, values > 0.7)


def test_consistency_in_a_model(rng):
    mixture = rng.standard_normal((2, 50, 1)).astype("float32")
    inputs = keras.Input((None, 1))
    estimates = keras.layers.Reshape((-1, 1, 4))(keras.layers.Dense(4)(inputs))
    model = keras.Model(inputs, MixtureConsistency()(estimates, inputs))
    total = model.predict_on_batch(mixture).sum(axis=-1)
    np.testing.assert_allclose(total, mixture, atol=1e-5)
    with pytest.raises(InputError, match="weighting='l2'"):
        MixtureConsistency("l2")
