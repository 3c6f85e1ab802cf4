import keras
import numpy as np
import pytest

from kerasep.layers import Conv2DTranspose, DecoderBlock2D
from kerasep.tflite.conversion import convert
from kerasep.tflite.forms.registry import export_forms
from kerasep.tflite.forms.transposed import (
    axis_taps,
    conv1d_transpose_form,
    conv2d_transpose_form,
)
from kerasep.tflite.interpreter import Interpreter
from kerasep.tflite.parity import agreement


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def layer_of(size, stride, padding="same", **settings):
    layer = keras.layers.Conv2DTranspose(
        3, size, stride, padding, bias_initializer="random_normal", **settings
    )
    layer.build((1, 4, 5, 2))
    return layer


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("stride", [1, 2, 3, (2, 1), (1, 4), (3, 2)])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, (8, 3), (2, 7)])
def test_equals_keras(monkeypatch, size, stride, padding):
    monkeypatch.setattr("kerasep.tflite.forms.transposed._MOST_WORK", np.inf)
    layer = layer_of(size, stride, padding, activation="elu")
    form = conv2d_transpose_form(layer)
    for shape in [(2, 6, 5, 2), (1, 1, 1, 2)]:
        x = noise(*shape)
        expected = np.asarray(layer(x))
        received = np.asarray(form(x))
        assert received.shape == expected.shape
        assert agreement(expected, received)[0] >= 110


def test_no_bias():
    layer = layer_of(5, 2, use_bias=False)
    x = noise(1, 6, 5, 2)
    np.testing.assert_allclose(conv2d_transpose_form(layer)(x), layer(x), atol=1e-5)


def test_an_activation_over_the_channels():
    layer = layer_of(4, 2, activation="softmax")
    x = noise(1, 6, 5, 2)
    np.testing.assert_allclose(conv2d_transpose_form(layer)(x), layer(x), atol=1e-5)


@pytest.mark.parametrize(
    "settings",
    [
        {"size": 3, "stride": 1, "dilation_rate": 2},
        {"size": 5, "stride": 2, "output_padding": 1},
        {"size": 6, "stride": 4},
        {"size": 3, "stride": 2, "data_format": "channels_first"},
    ],
)
def test_other_settings_keep_their_own_call(settings):
    assert conv2d_transpose_form(layer_of(**settings)) is None


def test_sizes_that_are_not_fixed_keep_their_own_call():
    layer = layer_of(5, 2)
    inputs = keras.Input((None, 5, 2))
    with export_forms(keras.Model(inputs, layer(inputs))):
        assert layer(inputs).shape == (None, None, 10, 3)


@pytest.mark.parametrize(("size", "stride"), [(5, 2), (4, 2), (8, 4), (2, 2), (3, 1)])
def test_every_tap_acts_once(size, stride):
    for padding in ("same", "valid"):
        taps, before = axis_taps(size, stride, padding)
        assert sorted(taps[taps >= 0]) == list(range(size))
        assert 0 <= before < len(taps)


@pytest.mark.parametrize(("stride", "spread"), [(2, "DEPTH_TO_SPACE"), ((2, 1), "TRANSPOSE")])
def test_the_file_has_a_plain_convolution(stride, spread):
    x, skip = keras.Input((6, 5, 2), batch_size=1), keras.Input((11, 9, 4), batch_size=1)
    if stride != 2:
        skip = keras.Input((11, 5, 4), batch_size=1)
    model = keras.Model([x, skip], DecoderBlock2D(3, 5, stride)(x, skip))
    arrays = [noise(*x.shape), noise(*skip.shape, seed=1)]
    expected = np.asarray(model(arrays))

    def function(x, skip):
        return {"y": model([x, skip])}

    with export_forms(model) as layers:
        assert [type(layer) for layer in layers] == [Conv2DTranspose]
        content, counts = convert(model, {"layer": (function, {"x": x.shape, "skip": skip.shape})})
    assert spread in counts
    assert "CONV_2D" in counts
    assert "TRANSPOSE_CONV" not in counts
    received = Interpreter(content)("layer", x=arrays[0], skip=arrays[1])["y"]
    assert agreement(expected, received)[0] >= 110


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("samples", [1, 2, 37])
@pytest.mark.parametrize(
    ("kernel_size", "strides"), [(8, 4), (20, 10), (5, 2), (7, 3), (4, 4), (1, 1)]
)
def test_1d_equals_keras(kernel_size, strides, samples, padding):
    layer = keras.layers.Conv1DTranspose(
        3, kernel_size, strides, padding, bias_initializer="ones", activation="tanh"
    )
    x = noise(2, samples, 5)
    expected = layer(x)
    with export_forms(keras.Model(inputs := keras.Input((samples, 5)), layer(inputs))) as layers:
        assert layers == [layer]
        assert agreement(expected, layer(x))[0] >= 110
    assert "call" not in vars(layer)


def test_1d_no_bias():
    layer = keras.layers.Conv1DTranspose(3, 8, 4, use_bias=False)
    expected = layer(noise(1, 9, 2))
    np.testing.assert_allclose(conv1d_transpose_form(layer)(noise(1, 9, 2)), expected, atol=1e-5)


@pytest.mark.parametrize(
    "arguments", [{"strides": 9}, {"dilation_rate": 2}, {"strides": 3, "output_padding": 1}]
)
def test_1d_settings_without_a_form(arguments):
    layer = keras.layers.Conv1DTranspose(3, 8, **arguments)
    layer.build((None, 9, 2))
    assert conv1d_transpose_form(layer) is None
