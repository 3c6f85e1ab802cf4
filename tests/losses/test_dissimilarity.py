import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import losses


@pytest.mark.parametrize("sources", [1, 2, 3])
def test_the_mean_of_pairs(rng, sources):
    true, estimate = rng.standard_normal((2, 5, 40, 2, sources)).astype("float32")
    distances = np.abs(true[..., None] - estimate[..., None, :]).mean(axis=(1, 2))
    others = ~np.eye(sources, dtype=bool)
    expected = distances[:, ~others].mean(axis=1)
    if sources > 1:
        expected -= 0.3 * distances[:, others].mean(axis=1)
    loss = losses.Dissimilarity(losses.Waveform(), weight=0.3, reduction=None)
    np.testing.assert_allclose(convert_to_numpy(loss(true, estimate)), expected, rtol=1e-4)


def test_the_papers_loss_of_the_voice_alone(rng):
    """The second estimate is what the first leaves, so that the loss depends on the first alone."""
    true = rng.standard_normal((5, 40, 1, 2)).astype("float32")
    voice = rng.standard_normal((5, 40, 1)).astype("float32")
    estimate = np.stack([voice, true.sum(axis=-1) - voice], axis=-1)
    expected = np.abs(voice - true[..., 0]).mean() - 0.05 * np.abs(voice - true[..., 1]).mean()
    loss = losses.Dissimilarity(losses.Waveform())
    np.testing.assert_allclose(convert_to_numpy(loss(true, estimate)), expected, rtol=1e-4)
