"""Means in steps: what they are of, and that TFLite then has them right."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasep.layers import GlobalLayerNormalization
from kerasep.tflite.conversion import convert
from kerasep.tflite.forms.means import mean
from kerasep.tflite.forms.registry import export_forms
from kerasep.tflite.interpreter import Interpreter
from kerasep.tflite.parity import agreement


@pytest.mark.parametrize("shape", [(1, 1), (2, 7), (1, 256, 1), (1, 257, 3), (2, 70000), (3, 5, 4)])
def test_mean(rng, shape):
    x = rng.standard_normal(shape).astype("float32") + 0.5
    expected = x.astype("float64").mean(axis=tuple(range(1, len(shape))), keepdims=True)
    received = mean(tf.constant(x)).numpy()
    assert received.shape == expected.shape
    np.testing.assert_allclose(received, expected, rtol=2e-6, atol=1e-7)


def exported(model, x):
    """Run a model's export form in TFLite."""
    with export_forms(model):
        content, _ = convert(
            model, {"separate": (lambda mixture: {"sources": model(mixture)}, {"mixture": x.shape})}
        )
    return Interpreter(content)("separate", mixture=x)["sources"]


def test_global_layer_normalization_of_a_long_signal(rng):
    x = (rng.standard_normal((1, 4000, 128)) + 3).astype("float32")
    model = keras.Sequential([keras.Input((4000, 128)), GlobalLayerNormalization()])
    model.set_weights([rng.random(128) + 0.5, rng.random(128)])
    exact = x.astype("float64")
    exact = (exact - exact.mean()) / np.sqrt(exact.var() + model.layers[0].epsilon)
    exact = exact * model.layers[0].gamma.numpy() + model.layers[0].beta.numpy()
    assert agreement(exact, exported(model, x))[0] > 120


def test_shapes_that_are_not_fixed_are_left_alone(rng):
    x = rng.standard_normal((2, 50, 3)).astype("float32")
    model = keras.Sequential([keras.Input((None, 3)), GlobalLayerNormalization()])
    expected = model(x).numpy()
    with export_forms(model):
        received = tf.function(model, input_signature=[tf.TensorSpec((2, None, 3))])(x)
    np.testing.assert_allclose(received, expected, atol=1e-6)
