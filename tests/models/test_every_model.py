"""What holds for every model class; the package is walked, so that a new one is tested at once."""

import inspect
import json

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

import kerasep
from kerasep import models
from kerasep.errors import InputError

# For each class a small value of every argument, none of them the default's.
EXAMPLES = {
    "OpenUnmixLike": {
        "sources": ["speech", "noise"],
        "sample_rate": 8000,
        "channels": 1,
        "n_fft": 128,
        "hop": 48,
        "window": "sqrt_hann",
        "hidden": 8,
        "lstm_layers": 2,
        "bidirectional": False,
        "dropout": 0.1,
        "max_hz": 3000,
        "name": "mine",
    },
}


def example(model_class, **changes):
    return model_class(**{**EXAMPLES[model_class.__name__], **changes})


def magnitude(model, frames=7, batch=2):
    bins = model.stft["n_fft"] // 2 + 1
    return np.random.default_rng(0).random((batch, frames, bins, model.channels), "float32")


def test_exported_and_exemplified(model_class):
    assert model_class.__name__ in models.__all__
    assert model_class.__name__ in EXAMPLES, "add the model to EXAMPLES above"


def test_config_is_the_signature(model_class):
    arguments = EXAMPLES[model_class.__name__]
    signature = inspect.signature(model_class).parameters
    assert arguments.keys() == signature.keys()
    assert all(arguments[name] != signature[name].default for name in arguments)
    config = example(model_class).get_config()
    assert config == arguments
    assert json.loads(json.dumps(config)) == config


def test_knows_what_it_is(model_class):
    model = example(model_class)
    assert model.sources == ("speech", "noise")
    assert (model.sample_rate, model.channels, model.recipe) == (8000, 1, {})
    assert model.domain in ("spectrogram", "waveform")
    if model.domain == "spectrogram":
        assert dict(model.stft) == {"n_fft": 128, "hop": 48, "window": "sqrt_hann"}
    assert model.latency is None or model.latency > 0


def test_saved_and_restored(model_class, tmp_path):
    model = example(model_class)
    x = magnitude(model)
    expected = model.predict_on_batch(x)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert type(again) is model_class
    assert again.get_config() == model.get_config()
    np.testing.assert_array_equal(again.predict_on_batch(x), expected)
    model.save_weights(tmp_path / "model.weights.h5")
    other = example(model_class)
    assert np.abs(other.predict_on_batch(x) - expected).max() > 1e-6
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(other.predict_on_batch(x), expected)


def test_every_weight_gets_a_gradient(model_class, weight_gradients):
    model = example(model_class, dropout=0.0)
    x = magnitude(model, frames=12)

    def loss(outputs):
        return keras.ops.mean(keras.ops.square(outputs - 0.3))

    found = weight_gradients(model, loss, x)
    assert len(found) == len(model.trainable_variables)
    for path, gradient in found.items():
        assert np.isfinite(gradient).all(), path
        assert gradient.any(), path


def test_fits(model_class, rng):
    model = example(model_class)
    x = magnitude(model)
    reference = rng.standard_normal((*x.shape, 3, 2)).astype("float32")
    model.compile("adam", kerasep.losses.TruncatedPhaseSensitive())
    before = [convert_to_numpy(weight) for weight in model.trainable_variables]
    assert np.isfinite(model.train_on_batch(x, reference))
    after = [convert_to_numpy(weight) for weight in model.trainable_variables]
    assert all((a != b).any() for a, b in zip(before, after, strict=True))


def test_any_length_and_batch(model_class):
    model = example(model_class)
    for frames, batch in [(1, 1), (5, 3)]:
        x = magnitude(model, frames, batch)
        assert model.predict_on_batch(x).shape == (*x.shape, 2)


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_any_number_of_channels(model_class, channels):
    model = example(model_class, channels=channels)
    x = magnitude(model)
    assert model.output_shape == (None, None, 65, channels, 2)
    outputs = model.predict_on_batch(x)
    assert outputs.shape == (2, 7, 65, channels, 2)
    assert outputs.dtype == "float32"


def test_silence_gives_silence(model_class):
    model = example(model_class)
    outputs = model.predict_on_batch(0 * magnitude(model))
    np.testing.assert_array_equal(outputs, 0)


def test_mixed_precision(model_class, policy):
    expected = example(model_class, dropout=0.0)
    x = magnitude(expected)
    policy("mixed_bfloat16")
    model = example(model_class, dropout=0.0)
    model.set_weights(expected.get_weights())
    outputs = model.predict_on_batch(x)
    assert outputs.dtype == "float32"
    np.testing.assert_allclose(outputs, expected.predict_on_batch(x), atol=0.05)


def test_a_separator_of_it_is_saved_and_restored(model_class, tmp_path, rng):
    separator = kerasep.Separator(example(model_class), wiener_iterations=1, residual="rest")
    waveform = rng.standard_normal((1, 1000, 1)).astype("float32")
    expected = separator.predict_on_batch(waveform)
    assert expected.shape == (1, 1000, 1, 3)
    separator.save(tmp_path / "separator.keras")
    again = keras.saving.load_model(tmp_path / "separator.keras", safe_mode=True)
    assert again.sources == ("speech", "noise", "rest")
    assert type(again.model) is model_class
    np.testing.assert_array_equal(again.predict_on_batch(waveform), expected)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("sources", []),
        ("sources", "vocals"),
        ("sources", ["vocals", "vocals"]),
        ("sources", ["../vocals"]),
        ("sources", [1]),
        ("sample_rate", 0),
        ("channels", 0),
        ("n_fft", 127),
        ("hop", 100),
        ("dropout", 1.0),
    ],
)
def test_refusals(model_class, argument, value):
    with pytest.raises(InputError, match=f"received.*{argument}") as caught:
        example(model_class, **{argument: value})
    assert "\n" not in str(caught.value)
