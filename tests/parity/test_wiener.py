"""Our multichannel Wiener filter against Open-Unmix's."""

import numpy as np
import pytest

from kerasep import ops

pytestmark = pytest.mark.parity


@pytest.mark.parametrize("iterations", [0, 1, 3])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("level", [0.5, 100.0], ids=["quiet", "above the scaling limit"])
def test_wiener(openunmix, torch, iterations, channels, level):
    mixture = torch.randn(40, 33, channels, 2) * level
    magnitudes = torch.rand(40, 33, channels, 3) * level
    theirs = openunmix.filtering.wiener(magnitudes, mixture, iterations).movedim(-2, -1).numpy()
    ours = ops.wiener(mixture.numpy()[None], magnitudes.numpy()[None], iterations)[0]
    assert tuple(ours.shape) == theirs.shape
    assert np.abs(np.asarray(ours) - theirs).max() < 1e-4 * np.abs(theirs).max()
