import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep.errors import InputError
from kerasep.models import HSTasNetLike


def small(**changes):
    settings = {"sources": ["a", "b"], "kernel_size": 32, "filters": 8, "units": 6}
    return HSTasNetLike(**{**settings, **changes})


def with_masks(model, spectrum, features):
    """Set both masks to constants, whatever the network computes."""
    for name, value in (("mask_spectrum", spectrum), ("mask_features", features)):
        layer = model.get_layer(name)
        layer.kernel.assign(np.zeros(layer.kernel.shape))
        layer.bias.assign(np.full(layer.bias.shape, value))
    return model


def test_masks_of_one_return_the_mixture(rng):
    """At both ends too: every sample is in two frames."""
    model = with_masks(small(), 1, 0)
    for samples in (1, 64, 71):
        mixture = rng.standard_normal((1, samples, 2)).astype("float32")
        estimates = convert_to_numpy(model(mixture))
        for source in range(2):
            np.testing.assert_allclose(estimates[..., source], mixture, atol=1e-5)


def test_the_features_pass_a_window(rng):
    """The gated features of each frame, by hand: synthesis filters are multiplied by a Hann."""
    model = with_masks(small(channels=1), 0, 1)
    for weight in model.get_layer("encoder").weights:
        weight.assign(rng.standard_normal(weight.shape))
    mixture = rng.standard_normal(64).astype("float32")
    filters, bias = model.get_layer("encoder").get_weights()
    (synthesis,) = model.get_layer("decoder_0").get_weights()
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(32) / 32)
    padded, total = np.pad(mixture, 16), np.zeros(96)
    for start in range(0, 65, 16):
        values, gates = np.split(filters @ padded[start : start + 32] + bias, 2)
        features = np.maximum(values, 0) / (1 + np.exp(-gates))
        total[start : start + 32] += features @ (synthesis * hann)
    estimates = convert_to_numpy(model(mixture[None, :, None]))
    np.testing.assert_allclose(estimates[0, :, 0, 0], total[16:-16], atol=1e-4)


@pytest.mark.parametrize("arguments", [{"kernel_size": 33}, {"units": 0}, {"filters": 0}])
def test_refusals(arguments):
    with pytest.raises(InputError, match="received"):
        small(**arguments)
