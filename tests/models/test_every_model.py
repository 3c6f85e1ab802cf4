"""Tests of every model class. The package is searched, so new classes are tested at once."""

import functools
import inspect
import json

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

import kerasep
from kerasep import models, zoo
from kerasep.errors import InputError

# The preset of the zoo for each class; its tiny variant is tested.
CARDS = {zoo.describe(name)["class"]: zoo.describe(name) for name in reversed(zoo.list_entries())}
TRANSFORM = {"n_fft": 128, "hop": 48, "window": "sqrt_hann"}


def arguments(model_class, **changes):
    """Return all arguments of a tiny model of two sources."""
    card = CARDS[model_class.__name__]
    known = {**card["arguments"], **card["tiny"]}
    common = {"sources": ["speech", "noise"], "sample_rate": 7000, "channels": 1, "name": "mine"}
    transform = TRANSFORM if "n_fft" in known else {}
    transform = {name: value for name, value in transform.items() if name in known}
    return {**known, **common, **transform, **changes}


def example(model_class, **changes):
    return model_class(**arguments(model_class, **changes))


@functools.cache
def shared(model_class):
    """Return an example that no test changes."""
    return example(model_class)


def mixture(model, frames=7, batch=2):
    """Return a random input of the model, with this many frames or a waveform of that length."""
    rng = np.random.default_rng(0)
    if model.domain == "waveform":
        waveform = rng.standard_normal((batch, 64 * frames, model.channels))
        return 0.1 * waveform.astype("float32")
    bins = model.stft["n_fft"] // 2 + 1
    return rng.random((batch, frames, bins, model.channels), "float32")


def arrays(outputs):
    return [convert_to_numpy(output) for output in keras.tree.flatten(outputs)]


def assert_same(outputs, expected, **tolerances):
    for one, other in zip(arrays(outputs), arrays(expected), strict=True):
        np.testing.assert_allclose(one, other, **{"rtol": 0, "atol": 0, **tolerances})


def test_exported_and_in_the_zoo(model_class):
    assert model_class.__name__ in models.__all__
    assert model_class.__name__ in CARDS, "give the model an entry in kerasep/zoo/presets"


def test_config_is_the_signature(model_class):
    given = arguments(model_class)
    signature = inspect.signature(model_class).parameters
    assert given.keys() == signature.keys()
    config = example(model_class).get_config()
    assert config == given
    assert json.loads(json.dumps(config)) == config
    default = {key: value.default for key, value in signature.items()}
    assert default.keys() == config.keys()
    assert inspect.Parameter.empty not in default.values()


def test_knows_what_it_is(model_class):
    model = shared(model_class)
    assert model.sources == ("speech", "noise")
    assert (model.sample_rate, model.channels, model.recipe) == (7000, 1, {})
    assert model.domain in ("spectrogram", "waveform")
    if model.domain == "spectrogram":
        assert dict(model.stft) == TRANSFORM
    assert model.latency is None or model.latency > 0
    assert model.interchangeable in (True, False)


def test_saved_and_restored(model_class, tmp_path):
    model = shared(model_class)
    x = mixture(model)
    expected = model(x)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert type(again) is model_class
    assert again.get_config() == model.get_config()
    assert_same(again(x), expected)
    model.save_weights(tmp_path / "model.weights.h5")
    other = example(model_class)
    different = zip(arrays(other(x)), arrays(expected), strict=True)
    assert any(np.abs(one - two).max() > 1e-6 for one, two in different)
    other.load_weights(tmp_path / "model.weights.h5")
    assert_same(other(x), expected)


def test_every_weight_gets_a_gradient(model_class, weight_gradients):
    model = example(model_class)
    x = mixture(model, frames=12)

    def loss(outputs):
        flat = keras.tree.flatten(outputs)
        return sum(keras.ops.mean(keras.ops.square(output - 0.3)) for output in flat)

    found = weight_gradients(model, loss, x)
    assert len(found) == len(model.trainable_variables)
    for path, gradient in found.items():
        assert np.isfinite(gradient).all(), path
        assert gradient.any(), path


def test_any_length_and_batch(model_class):
    """Examples of a batch do not depend on each other."""
    model = shared(model_class)
    least = 3 if model.domain == "waveform" and model.stft else 1  # half a frame can be mirrored
    for frames, batch in [(least, 1), (5, 3)]:
        x = mixture(model, frames, batch)
        x = x[:, : len(x[0]) - (model.domain == "waveform")]
        outputs = convert_to_numpy(model.estimate(x))
        assert outputs.shape == (*x.shape, 2)
        np.testing.assert_allclose(
            outputs[-1:], convert_to_numpy(model.estimate(x[-1:])), atol=1e-5
        )


@pytest.mark.parametrize("channels", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_any_number_of_channels(model_class, channels):
    model = example(model_class, channels=channels)
    x = mixture(model)
    outputs = convert_to_numpy(model.estimate(x))
    assert outputs.shape == (*x.shape, 2)
    assert outputs.dtype == "float32"
    assert_same(model.estimate(x[-1:]), outputs[-1:], atol=1e-5)
    # Every channel counts: a louder one changes the estimates.
    for channel in range(channels):
        louder = x.copy()
        louder[..., channel] *= 3
        assert np.abs(convert_to_numpy(model.estimate(louder)) - outputs).max() > 1e-3


def test_silence_gives_no_sound_of_its_own(model_class):
    """A mask of silence is silence; a network on waveforms stays finite."""
    model = shared(model_class)
    outputs = convert_to_numpy(model.estimate(0 * mixture(model)))
    assert np.isfinite(outputs).all()
    if model.domain == "spectrogram":
        np.testing.assert_array_equal(outputs, 0)


def test_mixed_precision(model_class, policy):
    expected = shared(model_class)
    x = mixture(expected)
    policy("mixed_bfloat16")
    model = example(model_class)
    model.set_weights(expected.get_weights())
    outputs = arrays(model(x))
    for output, other in zip(outputs, arrays(expected(x)), strict=True):
        assert output.dtype == "float32"
        np.testing.assert_allclose(output, other, atol=0.05 * max(1, np.abs(other).max()))


def test_a_separator_of_it_is_saved_and_restored(model_class, tmp_path, rng):
    model = shared(model_class)
    iterations = int(model.domain == "spectrogram")
    separator = kerasep.Separator(model, wiener_iterations=iterations, residual="rest")
    waveform = rng.standard_normal((1, 1000, 1)).astype("float32")
    expected = arrays(separator(waveform))
    assert expected[0].shape == (1, 1000, 1, 3)
    separator.save(tmp_path / "separator.keras")
    again = keras.saving.load_model(tmp_path / "separator.keras", safe_mode=True)
    assert again.sources == ("speech", "noise", "rest")
    assert again.interchangeable == model.interchangeable
    assert type(again.model) is model_class
    assert_same(again(waveform), expected)


REFUSED = [
    ("sources", []),
    ("sources", "vocals"),
    ("sources", ["vocals", "vocals"]),
    ("sources", ["../vocals"]),
    ("sources", [1]),
    ("sources", 2),
    ("sample_rate", 0),
    ("sample_rate", "8000"),
    ("channels", 0),
    ("n_fft", 127),
    ("hop", 1000),
    ("window", "no such window"),
    ("hidden", 0),
    ("dropout", 1.0),
    ("dropout", 1.5),
    ("activation", "nope"),
    ("mask_activation", "nope"),
    ("encoder_activation", "nope"),
]


def test_refusals(model_class):
    known = arguments(model_class)
    for argument, value in REFUSED:
        if argument in known:
            with pytest.raises(InputError, match=f"received.*{argument}") as caught:
                example(model_class, **{argument: value})
            assert "\n" not in str(caught.value)


@pytest.mark.parametrize("entry", ["deep_clustering_like", "deep_attractor_like", "tasnet_like"])
def test_one_source_leaves_nothing_to_share(entry):
    with pytest.raises(InputError, match=r"received sources=\['voice'\], expected 2 or more"):
        zoo.load(entry, **{**zoo.describe(entry)["tiny"], "sources": ["voice"]})
