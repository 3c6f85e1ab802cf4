import keras
import numpy as np
import pytest

from kerasep.tflite.forms.registry import export_forms
from kerasep.tflite.forms.transposed import conv1d_transpose_form
from kerasep.tflite.parity import agreement


def noise(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype("float32")


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("samples", [1, 2, 37])
@pytest.mark.parametrize(
    ("kernel_size", "strides"), [(8, 4), (20, 10), (5, 2), (7, 3), (4, 4), (1, 1)]
)
def test_equal_to_keras(kernel_size, strides, samples, padding):
    layer = keras.layers.Conv1DTranspose(
        3, kernel_size, strides, padding, bias_initializer="ones", activation="tanh"
    )
    x = noise(2, samples, 5)
    expected = layer(x)
    with export_forms(keras.Model(inputs := keras.Input((samples, 5)), layer(inputs))) as layers:
        assert layers == [layer]
        assert agreement(expected, layer(x))[0] >= 110
    assert "call" not in vars(layer)


def test_no_bias():
    layer = keras.layers.Conv1DTranspose(3, 8, 4, use_bias=False)
    expected = layer(noise(1, 9, 2))
    np.testing.assert_allclose(conv1d_transpose_form(layer)(noise(1, 9, 2)), expected, atol=1e-5)


@pytest.mark.parametrize(
    "arguments", [{"strides": 9}, {"dilation_rate": 2}, {"strides": 3, "output_padding": 1}]
)
def test_settings_without_a_form(arguments):
    layer = keras.layers.Conv1DTranspose(3, 8, **arguments)
    layer.build((None, 9, 2))
    assert conv1d_transpose_form(layer) is None
