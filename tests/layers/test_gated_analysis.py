"""Gated features against their definition."""

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep.errors import InputError
from kerasep.layers import GatedAnalysis


def test_features_and_levels(rng):
    layer = GatedAnalysis(6, 8, 5)
    x = rng.standard_normal((2, 21, 2)).astype("float32")
    features, levels = map(convert_to_numpy, layer(x))
    values, gates = map(convert_to_numpy, (layer.filters, layer.gates))
    assert features.shape == (2, 4, 6, 2)
    padded = np.pad(x, ((0, 0), (0, 2), (0, 0)))
    for t in range(4):
        frame = np.moveaxis(padded[:, 5 * t : 5 * t + 8], 1, -1)
        level = np.linalg.norm(frame, axis=-1, keepdims=True)
        unit = frame / level
        expected = np.maximum(unit @ values.T, 0) / (1 + np.exp(-unit @ gates.T))
        np.testing.assert_allclose(features[:, t], np.moveaxis(expected, 1, -1), atol=1e-6)
        np.testing.assert_allclose(levels[:, t, 0], level[..., 0], rtol=1e-6)


def test_features_do_not_depend_on_the_level(rng):
    layer = GatedAnalysis(6, 8)
    x = rng.standard_normal((1, 40, 1)).astype("float32")
    features, levels = map(convert_to_numpy, layer(x))
    quiet, lower = map(convert_to_numpy, layer(1e-3 * x))
    np.testing.assert_allclose(quiet, features, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(lower, 1e-3 * levels, rtol=1e-4)


def test_silence_has_no_features():
    features, levels = map(convert_to_numpy, GatedAnalysis(6, 8)(np.zeros((1, 40, 1), "float32")))
    np.testing.assert_array_equal(features, 0)
    assert levels.max() < 1e-7


@pytest.mark.parametrize(("arguments", "expected"), [((0, 8), "filters=0"), ((6, 8, 9), "hop=9")])
def test_refusals(arguments, expected):
    with pytest.raises(InputError, match=expected):
        GatedAnalysis(*arguments)
