"""DTLN: published sizes, what its outputs are, and the loss of its recipe."""

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import losses, zoo
from kerasep.errors import InputError
from kerasep.models import DTLNLike
from kerasep.models.building import build_without_values

SMALL = {"frame": 64, "hop": 16, "filters": 12, "units": 6}


def noise(samples, channels=1):
    x = np.random.default_rng(0).standard_normal((1, samples, channels))
    return 0.1 * x.astype("float32")


@pytest.mark.parametrize(
    ("name", "count"),
    [("dtln", 986_753), ("norm_40h", 987_267), ("norm_500h", 987_267)],
)
def test_sizes_are_the_published_ones(name, count):
    card = zoo.describe(f"dtln_like/{name}")
    assert build_without_values(DTLNLike, card["arguments"]).count_params() == count
    assert card["size"]["parameters"] == count


@pytest.mark.parametrize("channels", [1, 2])
def test_the_noise_is_what_remains_of_the_mixture(channels):
    x = noise(150, channels)
    outputs = convert_to_numpy(DTLNLike(channels=channels, **SMALL)(x))
    np.testing.assert_allclose(outputs.sum(axis=-1), x, atol=1e-6)
    assert np.abs(outputs[..., 0]).max() > 1e-4


def test_the_last_frame_is_filled_up():
    """Samples after the last whole frame are in one that zeros fill up."""
    model, x = DTLNLike(**SMALL), noise(64 + 16 + 5)
    filled = np.pad(x, ((0, 0), (0, 11), (0, 0)))
    outputs, longer = (convert_to_numpy(model(signal)) for signal in (x, filled))
    np.testing.assert_allclose(outputs, longer[:, :-11], atol=1e-6)
    assert np.abs(outputs[0, -5:, 0, 0]).min() > 0


def test_the_normalised_network_is_independent_of_the_level():
    x = noise(120)
    for normalized in (True, False):
        model = DTLNLike(normalized=normalized, **SMALL)
        quiet, loud = (convert_to_numpy(model(gain * x)) for gain in (1, 100))
        difference = np.abs(loud / 100 - quiet).max() / np.abs(quiet).max()
        assert (difference < 1e-3) == normalized


def test_the_recipe_s_loss_has_the_gradient_of_the_authors_loss():
    """The ratio of speech alone, with the error's mean square plus 1e-7."""
    rng = np.random.default_rng(1)
    true = rng.standard_normal((1, 400, 1, 2))
    speech = true[..., 0] + 0.3 * rng.standard_normal((1, 400, 1))
    estimates = np.stack([speech, true.sum(axis=-1) - speech], axis=-1)
    loss = losses.SNR()
    step = np.zeros_like(speech)
    step[0, 7] = 1e-2

    def both(by):
        change = np.stack([by, -by], axis=-1)
        return float(loss(true.astype("float32"), (estimates + change).astype("float32")))

    def authors(by):
        error = np.mean(np.square(true[..., 0] - speech - by)) + 1e-7
        return -10 * np.log10(np.mean(np.square(true[..., 0])) / error)

    expected = authors(step) - authors(-step)
    assert abs(both(step) - both(-step) - expected) < 0.02 * abs(expected)


def test_recipe_is_the_authors():
    recipe = zoo.describe("dtln_like")["recipe"]
    assert keras.optimizers.get(recipe["optimizer"]).clipnorm == 3
    assert recipe["plateau"] == {"factor": 0.5, "patience": 3, "cooldown": 1, "min_lr": 1e-10}
    assert recipe["data"]["crop_seconds"] == 15


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sources": ["speech"]}, "expected 2 or more"),
        ({"sources": ["a", "b", "c"]}, r"received sources=\['a', 'b', 'c'\], expected two"),
        ({"frame": 63}, "n_fft=63"),
        ({"hop": 60}, "hop=60"),
        ({"filters": 0}, "0"),
        ({"units": 0}, "units=0"),
        ({"dropout": 1}, "dropout=1"),
    ],
)
def test_arguments_out_of_range(arguments, message):
    with pytest.raises(InputError, match=message):
        DTLNLike(**{**SMALL, **arguments})
