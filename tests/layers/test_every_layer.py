"""Tests of every public layer. The package is searched, so new layers are tested at once."""

import inspect
import json

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import layers
from tests.layers.band_layers import EXAMPLES as BAND_EXAMPLES
from tests.layers.band_layers import FLOAT32 as BAND_FLOAT32
from tests.layers.band_layers import MIXING

# For each layer, a value other than the default for every argument, and the shapes of its inputs.
TRANSFORM = {"n_fft": 64, "hop": 24, "window": "sqrt_hann", "center": False}
EXAMPLES = BAND_EXAMPLES | {
    "ApplyMask": ({}, [(2, 9, 33, 2, 3), (2, 9, 33, 2)]),
    "BinaryMask": ({"threshold": 0.5}, [(2, 9, 33, 2, 3)]),
    "CenterCrop": ({}, [(2, 9, 5), (2, 6, 2)]),
    "CenterPad": ({"step": 4, "least": 6, "reach": 3}, [(2, 9, 5)]),
    "Conv1DTranspose": ({"filters": 3, "kernel_size": 8, "strides": 4}, [(2, 9, 5)]),
    "Conv2DTranspose": ({"filters": 3, "kernel_size": 5, "strides": 2}, [(2, 9, 7, 5)]),
    "Crop": ({"start": 2}, [(2, 9, 5), (2, 6, 2)]),
    "CumulativeLayerNormalization": ({"epsilon": 1e-4, "return_state": True}, [(2, 9, 5)]),
    "DecoderBlock2D": (
        {
            "filters": 3,
            "kernel_size": 3,
            "stride": (3, 2),
            "join": "add",
            "norm": "instance",
            "activation": "elu",
            "dropout": 0.5,
        },
        [(2, 3, 5, 2), (2, 9, 9, 3)],
    ),
    "EmbeddingHead": (
        {"bins": 4, "channels": 2, "embedding": 3, "activation": "prelu", "unit_norm": False},
        [(2, 9, 5)],
    ),
    "EndPad": ({"step": 4, "least": 6}, [(2, 9, 5)]),
    "EncoderBlock2D": (
        {
            "filters": 3,
            "kernel_size": 3,
            "stride": (3, 2),
            "downsampling": "average",
            "norm": "instance",
            "activation": "elu",
        },
        [(2, 10, 9, 2)],
    ),
    "DualPathNet": (
        {
            "outputs": 7,
            "chunk": 5,
            "hop": 3,
            "blocks": 2,
            "bottleneck": 4,
            "hidden": 3,
            "norm": "layer",
            "bidirectional": False,
        },
        [(2, 9, 3)],
    ),
    "FiLM": ({}, [(2, 9, 33, 2), (2, 2), (2, 2)]),
    "GatedAnalysis": ({"filters": 6, "kernel_size": 8, "hop": 3}, [(2, 100, 2)]),
    "GammatoneAnalysis": (
        {"filters": 50, "kernel_size": 20, "hop": 7, "sample_rate": 9000, "activation": "relu"},
        [(2, 100, 2)],
    ),
    "GlobalLayerNormalization": ({"epsilon": 1e-4}, [(2, 9, 5)]),
    "GriffinLim": ({**TRANSFORM, "iterations": 2, "momentum": 0.5}, [(2, 9, 33, 2)]),
    "Interpolate": ({"learned": True, "extend": False}, [(2, 9, 5)]),
    "InverseMelScale": (
        {"sample_rate": 8000, "n_fft": 128, "low": 100.0, "high": 3000.0, "scale": "htk"},
        [(2, 9, 10, 2)],
    ),
    "InverseFFT": ({"n_fft": 64}, [(2, 9, 33, 2, 2)]),
    "InverseSTFT": ({**TRANSFORM, "least": 0.1}, [(2, 9, 33, 2, 2)]),
    "InvertMask": ({}, [(2, 9, 33, 2, 3)]),
    "KMeans": ({"sources": 3, "iterations": 50, "seed": 1}, [(2, 9, 33, 2, 4), (2, 9, 33, 2)]),
    "JoinChunks": ({"overlap": 3}, [(6, 8, 5, 2), (2, 17, 4)]),
    "LearnedAnalysis": (
        {
            "filters": 6,
            "kernel_size": 8,
            "hop": 3,
            "activation": "relu",
            "initializer": "he_normal",
            "fill": False,
            "use_bias": True,
        },
        [(2, 100, 2)],
    ),
    "LearnedSynthesis": (
        {"kernel_size": 8, "hop": 3, "initializer": "he_normal", "window": "hann"},
        [(2, 9, 6, 2), (2, 30, 2)],
    ),
    "MISI": ({**TRANSFORM, "iterations": 2}, [(2, 400, 2), (2, 15, 33, 2, 3)]),
    "Decibels": ({"reference": 2.0, "floor": 1e-6}, [(2, 9, 33, 2)]),
    "AttractorMask": (
        {"activation": "sigmoid"},
        [(2, 9, 33, 2, 4), (2, 9, 33, 2, 3), (2, 9, 33, 2)],
    ),
    "Magnitude": ({}, [(2, 9, 33, 2, 2)]),
    "MaskHead": ({"bins": 4, "channels": 2, "sources": 3, "activation": "prelu"}, [(2, 9, 5)]),
    "MelScale": (
        {"sample_rate": 8000, "mels": 10, "low": 100.0, "high": 3000.0, "scale": "htk"},
        [(2, 9, 65, 2)],
    ),
    "MixtureConsistency": ({"weighting": "power"}, [(2, 9, 33, 2, 3, 2), (2, 9, 33, 2, 2)]),
    "MonoLevel": ({}, [(2, 700, 2)]),
    "RecurrentStack": (
        {
            "units": 3,
            "layers": 2,
            "bidirectional": False,
            "dropout": 0.5,
            "cell": "gru",
            "residual": True,
            "skip": True,
            "return_state": True,
        },
        [(2, 9, 5)],
    ),
    "Resample": ({"old": 3, "new": 2, "zeros": 10, "rolloff": 0.9}, [(2, 100, 2)]),
    "STFT": ({**TRANSFORM, "fill": True}, [(2, 400, 2)]),
    "ShiftScale": (
        {"order": "scale_shift", "shift_initializer": "ones", "scale_initializer": "zeros"},
        [(2, 9, 5)],
    ),
    "SoftKMeans": (
        {"sources": 3, "sharpness": 4.0, "iterations": 3, "seed": 1},
        [(2, 9, 33, 2, 4), (2, 9, 33, 2)],
    ),
    "SincAnalysis": (
        {
            "filters": 6,
            "kernel_size": 21,
            "hop": 7,
            "sample_rate": 8000,
            "min_low": 20.0,
            "min_band": 30.0,
            "activation": "relu",
        },
        [(2, 100, 2)],
    ),
    "StepPad": ({"step": 4, "margin": 2, "mode": "reflect"}, [(2, 9, 5)]),
    "SplitChunks": ({"chunk": 8, "overlap": 3}, [(2, 17, 5, 2)]),
    "TemporalConvNet": (
        {
            "blocks": 2,
            "repeats": 2,
            "bottleneck": 4,
            "hidden": 6,
            "skip": 5,
            "kernel_size": 2,
            "norm": "layer",
            "causal": True,
            "input_norm": "batch",
            "use_bias": False,
        },
        [(2, 9, 3)],
    ),
    "UnfoldSources": ({"count": 2}, [(4, 9, 33, 2)]),
    "Whitening": ({"axis": -1}, [(2, 9, 5)]),
    "WienerFilter": ({"iterations": 1}, [(2, 9, 33, 2, 2), (2, 9, 33, 2, 3)]),
}
FLOAT32 = BAND_FLOAT32 | {
    "ApplyMask",
    "BinaryMask",
    "AttractorMask",
    "Decibels",
    "EmbeddingHead",
    "GammatoneAnalysis",
    "GatedAnalysis",
    "GriffinLim",
    "InverseFFT",
    "InverseMelScale",
    "InverseSTFT",
    "InvertMask",
    "JoinChunks",
    "KMeans",
    "LearnedAnalysis",
    "LearnedSynthesis",
    "MISI",
    "Magnitude",
    "MaskHead",
    "MelScale",
    "MixtureConsistency",
    "MonoLevel",
    "Resample",
    "STFT",
    "SincAnalysis",
    "SoftKMeans",
    "SplitChunks",
    "WienerFilter",
}
# Layers that only look at the shape of their second input.
LIKE = {"CenterCrop", "Crop", "JoinChunks", "LearnedSynthesis"}
# Layers that take or return waveforms of any number of channels.
WAVEFORM_IN = {"GammatoneAnalysis", "GatedAnalysis", "LearnedAnalysis", "MISI", "STFT"}
WAVEFORM_IN |= {"SincAnalysis"}
WAVEFORM_OUT = {"GriffinLim", "InverseSTFT", "LearnedSynthesis", "MISI"}


def example(layer_class):
    """Return a layer of the class, and arrays to call it with."""
    arguments, shapes = EXAMPLES[layer_class.__name__]
    rng = np.random.default_rng(0)
    return layer_class(**arguments), [rng.random(shape, "float32") for shape in shapes]


def single(items):
    """Return a list, or its only item, as Keras expects a model's inputs."""
    return items if len(items) > 1 else items[0]


def first(outputs):
    """Return the output of a layer without its state."""
    return keras.tree.flatten(outputs)[0]


def as_model(layer, arrays):
    inputs = [keras.Input((None, *array.shape[2:])) for array in arrays]
    return keras.Model(single(inputs), layer(*inputs))


def run(model, arrays):
    return convert_to_numpy(first(model(single(arrays))))


def test_exported_and_exemplified(layer_class):
    assert layer_class.__name__ in layers.__all__
    assert layer_class.__name__ in EXAMPLES, "add the layer to EXAMPLES above"


def test_config_is_the_signature(layer_class):
    if issubclass(layer_class, getattr(keras.layers, layer_class.__name__, ())):
        return  # a Keras layer that is computed in another way, with Keras' arguments
    arguments, _ = EXAMPLES[layer_class.__name__]
    own = "__init__" in vars(layer_class)
    signature = dict(inspect.signature(layer_class).parameters) if own else {}
    signature.pop("kwargs", None)
    assert arguments.keys() == signature.keys()
    assert all(arguments[name] != signature[name].default for name in arguments)
    config = layer_class(**arguments).get_config()
    assert config.keys() == signature.keys() | {"name", "trainable", "dtype"}
    again = layer_class.from_config(json.loads(json.dumps(config))).get_config()
    assert again == config
    for name, value in arguments.items():
        if not name.endswith("initializer"):
            assert config[name] == (list(value) if isinstance(value, tuple) else value)


def test_symbolic_shapes_are_the_eager_ones(layer_class):
    layer, arrays = example(layer_class)
    eager = keras.tree.flatten(layer(*arrays))
    fixed = keras.tree.flatten(layer(*[keras.KerasTensor(array.shape) for array in arrays]))
    free = [keras.KerasTensor((None, None, *array.shape[2:])) for array in arrays]
    free = keras.tree.flatten(layer(*free))
    for known, unknown, tensor in zip(fixed, free, eager, strict=True):
        assert known.shape == tuple(tensor.shape)
        assert known.dtype == keras.backend.standardize_dtype(tensor.dtype)
        assert len(unknown.shape) == len(known.shape)
        assert all(a in (None, b) for a, b in zip(unknown.shape, known.shape, strict=True))
    assert free[0].shape[0] is None
    assert free[0].shape[1] is None or layer_class in (layers.SplitChunks, layers.MonoLevel)


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
    weights = layer.get_weights()
    policy("mixed_bfloat16")
    layer, arrays = example(layer_class)
    layer(*arrays)
    layer.set_weights(weights)
    result = first(layer(*arrays))
    wanted = "float32" if layer_class.__name__ in FLOAT32 else "bfloat16"
    assert keras.backend.standardize_dtype(result.dtype) == wanted
    values = convert_to_numpy(keras.ops.cast(result, "float32"))
    if wanted == "float32" and not layer.weights:
        np.testing.assert_array_equal(values, expected)
    np.testing.assert_allclose(values, expected, atol=0.05 * max(1, np.abs(expected).max()))
    assert all(weight.dtype == "float32" for weight in layer.weights)


@pytest.mark.parametrize("name", ["float16", "bfloat16", "mixed_float16"])
def test_finite_in_few_bits(layer_class, policy, name):
    policy(name)
    layer, arrays = example(layer_class)
    arrays = [np.concatenate([0 * array, 1e-8 * array, array], dtype="float32") for array in arrays]
    for output in keras.tree.flatten(layer(*arrays)):
        assert np.isfinite(convert_to_numpy(output).astype("float32")).all()


def test_gradients_reach_inputs_and_weights(layer_class, weight_gradients, gradients):
    layer, arrays = example(layer_class)
    if layer_class is layers.AffinePReLU:  # its slope acts on negative numbers
        arrays = [array - 0.5 for array in arrays]
    layer.dropout = 0.0
    model = as_model(layer, arrays)
    # No gradient passes a binary mask, a label, or the zero scale of this example.
    if layer_class.__name__ not in ("BinaryMask", "KMeans", "ShiftScale"):
        _, found = gradients(lambda *x: keras.ops.sum(keras.ops.square(first(layer(*x)))), *arrays)
        found = found[:1] if layer_class.__name__ in LIKE else found
        assert all(np.isfinite(gradient).all() and gradient.any() for gradient in found)

    def loss(outputs):
        return keras.ops.sum(keras.ops.square(first(outputs) - 1.5))

    for path, gradient in weight_gradients(model, loss, single(arrays)).items():
        assert np.isfinite(gradient).all(), path
        assert gradient.any(), path


FIXED = {"Conv2DTranspose", "DecoderBlock2D", "EncoderBlock2D"}  # as many as they have filters
FREE = {name for name, (_, shapes) in EXAMPLES.items() if len(shapes[0]) > 3} | WAVEFORM_IN


@pytest.mark.parametrize("name", sorted(FREE - FIXED - MIXING))
def test_any_number_of_channels(name):
    for channels in (1, 2, 3):
        layer, arrays = example(getattr(layers, name))
        axes = [min(array.ndim - 1, 3) for array in arrays]
        pairs = zip(arrays, axes, strict=True)
        copies = [np.repeat(np.take(array, [0], axis), channels, axis) for array, axis in pairs]
        outputs = convert_to_numpy(first(layer(*copies)))
        outputs = np.moveaxis(outputs, 2 if name in WAVEFORM_OUT else 3, 0)
        assert len(outputs) == channels
        assert np.isfinite(outputs).all()
        # Channels are copies of one; only the random phases of Griffin-Lim differ.
        if name != "GriffinLim":
            np.testing.assert_allclose(outputs, np.stack([outputs[0]] * channels), atol=1e-5)
