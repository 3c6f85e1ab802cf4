"""Normalisations and mixture consistency against Asteroid's."""

import importlib
import importlib.util
import sys
import types
import warnings

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import layers

pytestmark = pytest.mark.parity

REASON = "parity needs Asteroid: pip install asteroid==0.7.0 --no-deps, and what it imports"


@pytest.fixture(scope="session")
def asteroid(torch):
    """Asteroid's modules, by name."""
    if importlib.util.find_spec("asteroid") is None:
        pytest.skip(REASON)
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        # Asteroid imports torchaudio for files and resampling, which no test here needs.
        patch.setitem(sys.modules, "torchaudio", types.ModuleType("torchaudio"))
        warnings.simplefilter("ignore")
        norms = importlib.import_module("asteroid.masknn.norms")
        consistency = importlib.import_module("asteroid.dsp.consistency")
    return types.SimpleNamespace(norms=norms, consistency=consistency)


def channels_first(x):
    """(batch, frames, ..., features) to (batch, features, ..., frames), or back."""
    return np.ascontiguousarray(np.swapaxes(x, 1, -1))


NORMS = {
    "GlobLN": lambda: layers.GlobalLayerNormalization(),
    "CumLN": lambda: layers.CumulativeLayerNormalization(),
    "ChanLN": lambda: keras.layers.LayerNormalization(epsilon=1e-8),
    "FeatsGlobLN": lambda: keras.layers.GroupNormalization(groups=-1, epsilon=1e-8),
}


@pytest.mark.parametrize("name", NORMS)
@pytest.mark.parametrize("shape", [(2, 1000, 16), (2, 60, 9, 4)])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_norms(rng, torch, asteroid, name, shape, scale):
    if name == "CumLN" and len(shape) == 4:
        pytest.skip("Asteroid's takes three axes")
    x = (scale * (rng.standard_normal(shape) + 0.5)).astype("float32")
    gamma, beta = rng.standard_normal((2, shape[-1])).astype("float32")
    theirs = getattr(asteroid.norms, name)(shape[-1])
    theirs.load_state_dict({"gamma": torch.from_numpy(gamma), "beta": torch.from_numpy(beta)})
    with torch.no_grad():
        expected = channels_first(theirs(torch.from_numpy(channels_first(x))).numpy())
    ours = NORMS[name]()
    ours.build(shape)
    ours.set_weights([gamma, beta])
    np.testing.assert_allclose(convert_to_numpy(ours(x)), expected, atol=1e-4)


@pytest.mark.parametrize("sources", [2, 3])
def test_mixture_consistency_weighted_by_power(rng, torch, asteroid, sources):
    estimates = rng.standard_normal((2, 500, 2, sources)).astype("float32")
    mixture = rng.standard_normal((2, 500, 2)).astype("float32")
    theirs = asteroid.consistency.mixture_consistency(
        torch.from_numpy(mixture), torch.from_numpy(estimates), dim=3
    )
    ours = layers.MixtureConsistency("power")(estimates, mixture)
    np.testing.assert_allclose(convert_to_numpy(ours), theirs.numpy(), atol=1e-5)
