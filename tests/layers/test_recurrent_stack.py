"""The stack of LSTM layers against a plain loop in float64."""

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep.errors import InputError
from kerasep.layers import RecurrentStack


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(x, kernel, recurrent_kernel, bias):
    """Outputs of one direction; gates in the order input, forget, cell, output."""
    units = recurrent_kernel.shape[0]
    h, c = np.zeros((2, len(x), units))
    outputs = []
    for t in range(x.shape[1]):
        gates = x[:, t] @ kernel + h @ recurrent_kernel + bias
        i, f, g, o = np.split(gates, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs, axis=1)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_equals_a_plain_loop(rng, bidirectional):
    x = rng.standard_normal((2, 6, 5)).astype("float32")
    stack = RecurrentStack(4, layers=2, bidirectional=bidirectional, dropout=0.5)
    received = convert_to_numpy(stack(x))
    values = [convert_to_numpy(weight).astype("float64") for weight in stack.trainable_weights]
    expected = x.astype("float64")
    while values:
        forward, values = values[:3], values[3:]
        layer = lstm(expected, *forward)
        if bidirectional:
            backward, values = values[:3], values[3:]
            reverse = lstm(expected[:, ::-1], *backward)[:, ::-1]
            layer = np.concatenate([layer, reverse], axis=-1)
        expected = layer
    np.testing.assert_allclose(received, expected, atol=1e-5)


def test_dropout_only_between_layers_and_in_training(rng):
    x = rng.standard_normal((2, 6, 5)).astype("float32")
    single = RecurrentStack(4, layers=1, dropout=0.9)
    plain = convert_to_numpy(single(x))
    np.testing.assert_allclose(convert_to_numpy(single(x, training=True)), plain, atol=1e-6)
    double = RecurrentStack(4, layers=2, dropout=0.9)
    plain = convert_to_numpy(double(x))
    assert np.abs(convert_to_numpy(double(x, training=True)) - plain).max() > 1e-3


def test_one_directional_is_causal(rng):
    x = rng.standard_normal((1, 8, 5)).astype("float32")
    changed = x.copy()
    changed[:, 5:] += 1
    for bidirectional in (False, True):
        stack = RecurrentStack(4, layers=2, bidirectional=bidirectional)
        difference = np.abs(convert_to_numpy(stack(x)) - convert_to_numpy(stack(changed)))
        assert difference[:, 5:].max() > 1e-3
        assert (difference[:, :5].max() > 1e-6) == bidirectional


def test_weights_have_the_names_of_their_layers():
    stack = RecurrentStack(4, layers=2, bidirectional=False, name="stack")
    stack.build((None, None, 3))
    paths = [weight.path for weight in stack.trainable_weights]
    assert [path.split("/")[1] for path in paths[::3]] == ["lstm_0", "lstm_1"]
    assert all(isinstance(cell, keras.layers.LSTM) for cell in stack.cells)


@pytest.mark.parametrize("arguments", [{"units": 0}, {"layers": 0}, {"dropout": 1.0}])
def test_refusals(arguments):
    with pytest.raises(InputError, match="received units"):
        RecurrentStack(**{"units": 4, **arguments})


def test_no_two_layers_share_a_copy_while_a_file_is_loaded():
    """Loading takes objects of one id for one object; Bidirectional drops the layer it copies."""
    from keras.src.saving.serialization_lib import ObjectSharingScope

    with ObjectSharingScope():
        stacks = [RecurrentStack(1) for _ in range(300)]
    cells = [stack.cells[0] for stack in stacks]
    copies = {id(lstm) for cell in cells for lstm in (cell.forward_layer, cell.backward_layer)}
    assert len(copies) == 600
