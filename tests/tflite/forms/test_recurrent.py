import math

import keras
import numpy as np
import pytest

from kerasep.layers import RecurrentStack
from kerasep.tflite.conversion import convert
from kerasep.tflite.forms.recurrent import block_sizes, recurrent_form
from kerasep.tflite.forms.registry import export_forms
from kerasep.tflite.interpreter import Interpreter
from kerasep.tflite.parity import agreement


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def both(layer, *args, **kwargs):
    expected = layer(*args, **kwargs)
    inputs = keras.Input(args[0].shape[1:])
    with export_forms(keras.Model(inputs, layer(inputs))) as layers:
        assert layers == [layer]
        return expected, layer(*args, **kwargs)


@pytest.mark.parametrize("frames", [1, 2, 37, 64, 97])
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize(("batch", "features"), [(1, 5), (3, 7), (8, 5), (8, 6), (8, 25)])
def test_sequences_equal_keras(frames, go_backwards, batch, features):
    layer = keras.layers.LSTM(6, return_sequences=True, go_backwards=go_backwards)
    expected, received = both(layer, noise(batch, frames, features))
    np.testing.assert_allclose(received, expected, atol=1e-6)


@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("return_state", [False, True])
@pytest.mark.parametrize("use_bias", [False, True])
@pytest.mark.parametrize("batch", [2, 9])
def test_states_equal_keras(return_sequences, return_state, use_bias, batch):
    layer = keras.layers.LSTM(
        6,
        return_sequences=return_sequences,
        return_state=return_state,
        use_bias=use_bias,
        go_backwards=True,
    )
    state = [noise(batch, 6, seed=1), noise(batch, 6, seed=2)]
    expected, received = both(layer, noise(batch, 37, 7), initial_state=state)
    for a, b in zip(keras.tree.flatten(expected), keras.tree.flatten(received), strict=True):
        np.testing.assert_allclose(b, a, atol=1e-6)


def gru(*args, **kwargs):
    layer = keras.layers.GRU(*args, **kwargs)
    layer.build((None, None, 5))
    for index, weight in enumerate(layer.weights):
        weight.assign(noise(*weight.shape, seed=3 + index))
    return layer


@pytest.mark.parametrize("frames", [1, 37, 64])
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("reset_after", [False, True])
def test_gru_sequences_equal_keras(frames, go_backwards, reset_after):
    layer = gru(6, return_sequences=True, go_backwards=go_backwards, reset_after=reset_after)
    expected, received = both(layer, noise(2, frames, 5))
    assert agreement(expected, received)[0] >= 110


@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("settings", [{}, {"reset_after": False}, {"use_bias": False}])
def test_gru_states_equal_keras(return_sequences, settings):
    layer = gru(6, return_sequences=return_sequences, return_state=True, **settings)
    expected, received = both(layer, noise(2, 37, 5), initial_state=[noise(2, 6, seed=1)])
    assert len(received) == len(expected) == 2
    for a, b in zip(expected, received, strict=True):
        assert agreement(a, b)[0] >= 110


def test_the_file_equals_the_layers_to_110_db():
    inputs = keras.Input((200, 5), batch_size=1)
    kinds = (keras.layers.LSTM, keras.layers.GRU)
    model = keras.Model(inputs, [kind(16, return_sequences=True)(inputs) for kind in kinds])

    def function(x):
        return dict(zip(("lstm", "gru"), model(x), strict=True))

    with export_forms(model) as layers:
        content, counts = convert(model, {"run": (function, {"x": (1, 200, 5)})})
    assert len(layers) == 2
    # Nested loops whose steps write in place: nothing is put together over and over.
    assert counts["DYNAMIC_UPDATE_SLICE"] >= 4
    assert "CONCATENATION" not in counts
    x = noise(1, 200, 5)
    received = Interpreter(content)("run", x=x)
    for name, expected in function(x).items():
        assert agreement(expected, received[name])[0] >= 110


def test_the_file_holds_no_outputs_of_zeros():
    inputs = keras.Input((400, 5), batch_size=20)
    model = keras.Model(inputs, keras.layers.LSTM(16, return_sequences=True)(inputs))
    with export_forms(model):
        content, _ = convert(model, {"run": (lambda x: {"y": model(x)}, {"x": inputs.shape})})
    assert len(content) < 4 * 400 * 20 * 16 / 10


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_stacks_are_reached_and_put_back(bidirectional, cell):
    inputs = keras.Input((12, 5))
    model = keras.Model(inputs, RecurrentStack(6, 2, bidirectional, cell=cell)(inputs))
    x = noise(1, 12, 5)
    expected = model(x)
    with export_forms(model) as layers:
        assert len(layers) == (4 if bidirectional else 2)
        np.testing.assert_allclose(model(x), expected, atol=1e-6)
    assert not any("call" in vars(layer) for layer in layers)
    assert np.array_equal(model(x), expected)


@pytest.mark.parametrize(
    "settings", [{"activation": "relu"}, {"recurrent_activation": "hard_sigmoid"}, {"unroll": True}]
)
def test_other_settings_keep_their_own_call(settings):
    layer = keras.layers.LSTM(4, **settings)
    layer.build((None, 5, 3))
    assert recurrent_form(layer) is None


def test_masks_are_honoured():
    layer = keras.layers.LSTM(4)
    mask = np.array([[True, True, False, False, False]])
    expected, received = both(layer, noise(1, 5, 3), mask=mask)
    np.testing.assert_allclose(received, expected, atol=1e-6)


@pytest.mark.parametrize("frames", [1, 2, 3, 5, 37, 64, 256, 257, 260, 1000, 2048, 7919])
def test_block_sizes_cover_the_frames_and_waste_little(frames):
    assert frames <= math.prod(block_sizes(frames)) <= 1.1 * frames + 3
    assert math.prod(block_sizes(frames, exact=True)) == frames
    assert max(block_sizes(frames)) <= 64


def test_block_sizes_take_the_least_estimated_time():
    assert block_sizes(256) == (4, 4, 16)
