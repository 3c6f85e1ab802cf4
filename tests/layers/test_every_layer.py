"""What holds for every public layer; the package is walked, so that a new one is tested at once."""

import inspect
import json

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import layers

# For each layer a value of every argument that is not the default's, and the shapes of its inputs.
TRANSFORM = {"n_fft": 64, "hop": 24, "window": "sqrt_hann", "center": False}
EXAMPLES = {
    "STFT": (TRANSFORM, [(2, 400, 2)]),
    "InverseSTFT": (TRANSFORM, [(2, 9, 33, 2, 2)]),
    "KMeans": (
        {"sources": 3, "iterations": 50, "seed": 1},
        [(2, 9, 33, 2, 4), (2, 9, 33, 2)],
    ),
    "Magnitude": ({}, [(2, 9, 33, 2, 2)]),
    "MelScale": (
        {"sample_rate": 8000, "mels": 10, "low": 100.0, "high": 3000.0, "scale": "htk"},
        [(2, 9, 65, 2)],
    ),
    "RecurrentStack": (
        {"units": 3, "layers": 2, "bidirectional": False, "dropout": 0.5},
        [(2, 9, 5)],
    ),
    "ShiftScale": (
        {"order": "scale_shift", "shift_initializer": "ones", "scale_initializer": "zeros"},
        [(2, 9, 5)],
    ),
    "SoftKMeans": (
        {"sources": 3, "sharpness": 4.0, "iterations": 3, "seed": 1},
        [(2, 9, 33, 2, 4), (2, 9, 33, 2)],
    ),
    "WienerFilter": ({"iterations": 1}, [(2, 9, 33, 2, 2), (2, 9, 33, 2, 3)]),
}
FLOAT32 = {
    "STFT",
    "InverseSTFT",
    "KMeans",
    "Magnitude",
    "MelScale",
    "SoftKMeans",
    "WienerFilter",
}


def example(layer_class):
    """A layer of the class, and arrays to call it with."""
    arguments, shapes = EXAMPLES[layer_class.__name__]
    rng = np.random.default_rng(0)
    return layer_class(**arguments), [rng.random(shape, "float32") for shape in shapes]


def single(items):
    """A list, or what it holds where that is one thing, as Keras wants a model's inputs."""
    return items if len(items) > 1 else items[0]


def as_model(layer, arrays):
    inputs = [keras.Input((None, *array.shape[2:])) for array in arrays]
    return keras.Model(single(inputs), layer(*inputs))


def run(model, arrays):
    return convert_to_numpy(model(single(arrays)))


def test_exported_and_exemplified(layer_class):
    assert layer_class.__name__ in layers.__all__
    assert layer_class.__name__ in EXAMPLES, "add the layer to EXAMPLES above"


def test_config_is_the_signature(layer_class):
    arguments, _ = EXAMPLES[layer_class.__name__]
    signature = dict(inspect.signature(layer_class).parameters)
    del signature["kwargs"]
    assert arguments.keys() == signature.keys()
    assert all(arguments[name] != signature[name].default for name in arguments)
    config = layer_class(**arguments).get_config()
    assert config.keys() == signature.keys() | {"name", "trainable", "dtype"}
    again = layer_class.from_config(json.loads(json.dumps(config))).get_config()
    assert again == config
    for name, value in arguments.items():
        if not name.endswith("initializer"):
            assert config[name] == value


def test_symbolic_shapes_are_the_eager_ones(layer_class):
    layer, arrays = example(layer_class)
    eager = layer(*arrays)
    fixed = layer(*[keras.KerasTensor(array.shape) for array in arrays])
    assert fixed.shape == tuple(eager.shape)
    assert fixed.dtype == keras.backend.standardize_dtype(eager.dtype)
    free = layer(*[keras.KerasTensor((None, None, *array.shape[2:])) for array in arrays])
    assert len(free.shape) == len(fixed.shape)
    assert all(a in (None, b) for a, b in zip(free.shape, fixed.shape, strict=True))
    assert free.shape[:2] == (None, None)


def test_saved_and_restored(layer_class, tmp_path):
    layer, arrays = example(layer_class)
    model = as_model(layer, arrays)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert type(again.layers[-1]) is layer_class
    np.testing.assert_array_equal(run(again, arrays), run(model, arrays))


def test_mixed_precision(layer_class, policy):
    layer, arrays = example(layer_class)
    expected = run(as_model(layer, arrays), arrays)
    policy("mixed_bfloat16")
    layer, arrays = example(layer_class)
    result = layer(*arrays)
    wanted = "float32" if layer_class.__name__ in FLOAT32 else "bfloat16"
    assert keras.backend.standardize_dtype(result.dtype) == wanted
    if wanted == "float32":
        np.testing.assert_array_equal(convert_to_numpy(result), expected)
    assert all(weight.dtype == "float32" for weight in layer.weights)


def test_gradients_reach_inputs_and_weights(layer_class, weight_gradients, gradients):
    layer, arrays = example(layer_class)
    layer.dropout = 0.0
    model = as_model(layer, arrays)
    # ShiftScale: the example's scale is zero. KMeans: labels have no slope.
    if layer_class.__name__ not in ("ShiftScale", "KMeans"):
        _, found = gradients(lambda *x: keras.ops.sum(keras.ops.square(layer(*x))), *arrays)
        assert all(np.isfinite(gradient).all() and gradient.any() for gradient in found)

    def loss(outputs):
        return keras.ops.sum(keras.ops.square(outputs - 1.5))

    for path, gradient in weight_gradients(model, loss, single(arrays)).items():
        assert np.isfinite(gradient).all(), path
        assert gradient.any(), path


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_any_number_of_channels(layer_class, channels):
    layer, arrays = example(layer_class)
    if arrays[0].ndim == 3 and layer_class is not layers.STFT:
        pytest.skip("has no channels")
    axis = 2 if arrays[0].ndim == 3 else 3
    arrays = [np.repeat(array[(slice(None),) * axis + ([0],)], channels, axis) for array in arrays]
    outputs = convert_to_numpy(layer(*arrays))
    where = 2 if isinstance(layer, layers.InverseSTFT) else 3
    assert outputs.shape[where] == channels
    assert np.isfinite(outputs).all()
