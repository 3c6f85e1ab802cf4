"""The first layers of four models, decibels and one batch norm, and their published sizes."""

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import ops, zoo
from kerasep.layers import Decibels
from kerasep.models import MaskInferenceLike

SMALL = {"units": 8, "lstm_layers": 1, "dropout": 0.0}


def count(model):
    return sum(np.prod(tuple(weight.shape)) for weight in model.trainable_weights)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("mask_inference_like/speech", 2),
        ("deep_clustering_like/speech", 20),
        ("chimera_like/chimera++", 20 + 2),
        ("deep_attractor_like/speech", 20),
    ],
)
def test_size_of_the_published_network(name, head):
    """129 bins, 4 layers of 600 units a direction, one dense layer a head."""
    trunk = 2
    for inputs in (129, 1200, 1200, 1200):
        # PyTorch has two biases, Keras their sum.
        trunk += 2 * 4 * 600 * (inputs + 600 + 1)
    heads = (1200 + 1) * 129 * head
    assert count(zoo.load(name)) == trunk + heads
    if name == "chimera_like/chimera++":
        assert trunk + heads == 32_866_040 - 4 * 2 * 4 * 600


@pytest.mark.parametrize(("reference", "floor"), [(1.0, 1e-8), (163.0, 1e-6)])
def test_decibels(reference, floor):
    levels = np.array([0, 1e-30, 1e-5, 1.01e-4, 1.0, 163.0, 1e6], "float32")
    expected = 10 * np.log10(np.maximum((levels.astype("float64") / reference) ** 2, floor))
    np.testing.assert_allclose(
        convert_to_numpy(Decibels(reference, floor)(levels)), expected, rtol=1e-5
    )


def test_full_scale_is_a_matter_of_level(rng):
    """The masks of the magnitude times the window's sum are those of the magnitude."""
    one = MaskInferenceLike(**SMALL)
    other = MaskInferenceLike(full_scale=True, **SMALL)
    other.set_weights(one.get_weights())
    magnitude = rng.random((1, 9, 129, 1), "float32")
    scale = ops.window("sqrt_hann", 256).sum()
    expected = scale * one.predict_on_batch(magnitude)
    np.testing.assert_allclose(other.predict_on_batch(scale * magnitude), expected, rtol=1e-4)


def test_one_feature_for_all_bins_and_channels(rng):
    model = MaskInferenceLike(channels=2, **SMALL)
    norm = model.get_layer("normalization")
    assert norm.gamma.shape == (1,)
    magnitude = 10 ** rng.uniform(-3, 1, (3, 20, 129, 2)).astype("float32")
    model(magnitude, training=True)
    levels = 20 * np.log10(magnitude.astype("float64"))
    np.testing.assert_allclose(convert_to_numpy(norm.moving_mean), 0.1 * levels.mean(), rtol=1e-4)
    variance = 0.9 + 0.1 * levels.var()
    np.testing.assert_allclose(convert_to_numpy(norm.moving_variance), variance, rtol=1e-4)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_direction_of_time(rng, bidirectional):
    model = MaskInferenceLike(bidirectional=bidirectional, **SMALL)
    magnitude = rng.random((1, 12, 129, 1), "float32")
    changed = magnitude.copy()
    changed[:, 8:] += 1
    difference = np.abs(model.predict_on_batch(changed) - model.predict_on_batch(magnitude))
    assert difference[:, 8:].max() > 1e-3
    assert (difference[:, :8].max() > 1e-5) == bidirectional
    assert model.latency == (None if bidirectional else 256)
