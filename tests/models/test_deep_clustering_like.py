"""Deep clustering: estimates from k-means of the embedding."""

import numpy as np
from keras.ops import convert_to_numpy

from kerasep import layers
from kerasep.models import DeepClusteringLike

SMALL = {"units": 8, "lstm_layers": 1, "dropout": 0.0}


def test_estimates_are_the_mixture_shared_out_by_clusters(rng):
    model = DeepClusteringLike(["a", "b", "c"], **SMALL)
    magnitude = rng.random((2, 9, 129, 1), "float32")
    embedding = model.predict_on_batch(magnitude)
    np.testing.assert_allclose(np.linalg.norm(embedding, axis=-1), 1, rtol=1e-5)
    estimates = convert_to_numpy(model.estimate(magnitude))
    masks = convert_to_numpy(layers.KMeans(3)(embedding, magnitude))
    assert masks.any(axis=(1, 2, 3)).all()
    np.testing.assert_allclose(estimates, masks * magnitude[..., None], rtol=1e-6)
    np.testing.assert_allclose(estimates.sum(axis=-1), magnitude, rtol=1e-6)


def test_which_output_is_which_is_not_known():
    assert DeepClusteringLike(**SMALL).interchangeable
