"""Deep attractor network against its paper's equations in float64."""

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import layers
from kerasep.errors import InputError
from kerasep.models import DeepAttractorLike

SMALL = {"units": 8, "lstm_layers": 1}
SHAPES = {
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}


@pytest.mark.parametrize("activation", SHAPES)
@pytest.mark.parametrize("channels", [1, 2])
def test_masks_are_the_papers(rng, activation, channels):
    """`A = sum w Y V / sum w Y`, `M = f(A . V)`, with the clusters for `Y`."""
    model = DeepAttractorLike(
        ["a", "b", "c"], channels=channels, embedding=6, activation=activation, **SMALL
    )
    magnitude = rng.random((2, 9, 129, channels), "float32")
    embedding = 20 * model.predict_on_batch(magnitude)
    clusters = convert_to_numpy(layers.KMeans(3)(embedding, magnitude))
    received = layers.AttractorMask(activation)(embedding, clusters, magnitude)
    for i in range(2):
        v = embedding[i].reshape(-1, 6).astype("float64")
        y = clusters[i].reshape(-1, 3).astype("float64")
        weighted = magnitude[i].reshape(-1, 1) * y
        attractors = weighted.T @ v / weighted.sum(axis=0)[:, None]
        expected = SHAPES[activation](v @ attractors.T).reshape(9, 129, channels, 3)
        np.testing.assert_allclose(convert_to_numpy(received[i]), expected, atol=1e-5)


@pytest.mark.parametrize("activation", SHAPES)
def test_estimates_are_masks_times_the_mixture(rng, activation):
    model = DeepAttractorLike(activation=activation, **SMALL)
    magnitude = rng.random((2, 9, 129, 1), "float32")
    embedding = model.predict_on_batch(magnitude)
    clusters = layers.KMeans(2)(embedding, magnitude)
    masks = convert_to_numpy(layers.AttractorMask(activation)(embedding, clusters, magnitude))
    expected = masks * magnitude[..., None]
    np.testing.assert_allclose(convert_to_numpy(model.estimate(magnitude)), expected, rtol=1e-4)
    assert 0 < masks.min() < masks.max() < 1


def test_embeddings_have_any_length(rng):
    model = DeepAttractorLike(**SMALL)
    lengths = np.linalg.norm(model.predict_on_batch(rng.random((1, 9, 129, 1))), axis=-1)
    assert lengths.max() > 1.1 * lengths.min()


def test_other_activations_are_refused():
    with pytest.raises(InputError, match=r"received activation='relu', expected 'softmax'"):
        DeepAttractorLike(activation="relu", **SMALL)
