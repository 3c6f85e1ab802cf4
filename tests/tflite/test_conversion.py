import keras
import numpy as np
import pytest

from kerasep import layers
from kerasep.tflite import ExportError
from kerasep.tflite.conversion import convert
from kerasep.tflite.forms.registry import export_forms
from kerasep.tflite.interpreter import Interpreter


@pytest.fixture(scope="module")
def model():
    inputs = keras.Input((None, 64))
    x = keras.layers.LSTM(128, return_sequences=True)(inputs)
    x = keras.layers.Conv1DTranspose(64, 8, strides=4, padding="same")(x)
    return keras.Model(inputs, x)


def test_several_signatures_share_the_weights(model):
    def whole(x):
        return {"y": model(x, training=False)}

    def sums(x, gain):
        return {"y": model(x, training=False), "total": keras.ops.sum(gain * x)}

    signatures = {
        "long": (whole, {"x": (1, 40, 64)}),
        "short": (sums, {"x": (1, 3, 64), "gain": (1, 1, 1)}),
    }
    with export_forms(model):
        content, counts = convert(model, signatures)
    assert counts["WHILE"] >= 2
    weights = 4 * model.count_params()
    assert weights < len(content) < 1.3 * weights
    run = Interpreter(content, threads=1)
    rng = np.random.default_rng(0)
    for name, frames in [("long", 40), ("short", 3), ("long", 40)]:
        x = rng.standard_normal((1, frames, 64)).astype("float32")
        extra = {"gain": np.full((1, 1, 1), 2, "float32")} if name == "short" else {}
        received = run(name, x=x, **extra)
        np.testing.assert_allclose(received["y"], model(x), atol=1e-6)
        if extra:
            np.testing.assert_allclose(received["total"], 2 * x.sum(), rtol=1e-4)


def test_what_keeps_its_value_between_runs_is_refused():
    layer = keras.layers.Dense(2)
    inputs = keras.Input((2,))
    model = keras.Model(inputs, layer(inputs))

    def function(x):
        layer.bias.assign(layer.bias + 1)
        return {"y": model(x)}

    with pytest.raises(ExportError, match="constants only"):
        convert(model, {"count": (function, {"x": (1, 2)})})


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (layers.AffinePReLU(), {"PRELU": 1, "MUL": 1, "ADD": 2}),
        (layers.CausalConv2D(4, (1, 1), groups=2), {"CONV_2D": 1}),
        (layers.ChannelShuffle(2), {"RESHAPE": 2, "TRANSPOSE": 1}),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, keras.Layer) else "",
)
def test_small_layers_take_few_operations(layer, expected):
    x = np.random.default_rng(0).standard_normal((1, 3, 5, 4)).astype("float32")
    inputs = keras.Input(batch_shape=x.shape)
    model = keras.Model(inputs, layer(inputs))
    for seed, variable in enumerate(model.variables):
        variable.assign(np.random.default_rng(seed).standard_normal(variable.shape))
    content, counts = convert(
        model, {"call": (lambda x: {"y": model(x, training=False)}, {"x": x.shape})}
    )
    assert counts == expected
    received = Interpreter(content, threads=1)("call", x=x)["y"]
    np.testing.assert_allclose(received, model(x), atol=1e-5)
