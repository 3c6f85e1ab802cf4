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
    """Return the outputs of one direction; gates in the order input, forget, cell, output."""
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
    """For loading, one id is one object, and Bidirectional drops the layer that it copies."""
    from keras.src.saving.serialization_lib import ObjectSharingScope

    with ObjectSharingScope():
        stacks = [RecurrentStack(1) for _ in range(300)]
    cells = [stack.cells[0] for stack in stacks]
    copies = {id(lstm) for cell in cells for lstm in (cell.forward_layer, cell.backward_layer)}
    assert len(copies) == 600


def gru(x, kernel, recurrent_kernel, bias):
    """Return the outputs of one direction; gates in the order update, reset, candidate."""
    h = np.zeros((len(x), len(recurrent_kernel)))
    outputs = []
    for t in range(x.shape[1]):
        zx, rx, cx = np.split(x[:, t] @ kernel + bias[0], 3, axis=1)
        zh, rh, ch = np.split(h @ recurrent_kernel + bias[1], 3, axis=1)
        update = sigmoid(zx + zh)
        h = update * h + (1 - update) * np.tanh(cx + sigmoid(rx + rh) * ch)
        outputs.append(h)
    return np.stack(outputs, axis=1)


def shake(stack, rng):
    """Set every weight to random values, as biases are zero initially."""
    for weight in stack.trainable_weights:
        weight.assign(0.5 * rng.standard_normal(weight.shape))


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(("residual", "skip"), [(False, True), (True, False)])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_cells_residuals_and_skips(rng, bidirectional, residual, skip, cell):
    x = rng.standard_normal((2, 6, 5)).astype("float32")
    stack = RecurrentStack(4, 3, bidirectional, cell=cell, residual=residual, skip=skip)
    stack.build(x.shape)
    shake(stack, rng)
    values = [convert_to_numpy(weight).astype("float64") for weight in stack.trainable_weights]
    loop = {"lstm": lstm, "gru": gru}[cell]
    expected = x.astype("float64")
    for index in range(3):
        before = expected
        expected = loop(before, *values[:3])
        values = values[3:]
        if bidirectional:
            reverse = loop(before[:, ::-1], *values[:3])[:, ::-1]
            values = values[3:]
            expected = np.concatenate([expected, reverse], axis=-1)
        if residual and index:
            expected = expected + before
    if skip:
        expected = np.concatenate([x, expected], axis=-1)
    np.testing.assert_allclose(convert_to_numpy(stack(x)), expected, atol=1e-5)


def test_residual_at_the_first_layer_where_sizes_agree(rng):
    x = rng.standard_normal((2, 6, 8)).astype("float32")
    stack = RecurrentStack(4, residual=True)
    plain = RecurrentStack(4)
    plain.build(x.shape)
    stack.build(x.shape)
    stack.set_weights(plain.get_weights())
    expected = x + convert_to_numpy(plain(x))
    np.testing.assert_allclose(convert_to_numpy(stack(x)), expected, atol=1e-6)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("block", [1, 4])
def test_block_by_block_equals_the_whole(rng, cell, block):
    x = rng.standard_normal((2, 9, 5)).astype("float32")
    arguments = {"layers": 2, "bidirectional": False, "cell": cell, "residual": True, "skip": True}
    whole = RecurrentStack(4, dropout=0.5, **arguments)
    whole.build(x.shape)
    shake(whole, rng)
    # The same weights: a model is trained on whole sequences, and streams with the state.
    streaming = RecurrentStack(4, return_state=True, **arguments)
    streaming.build(x.shape)
    streaming.set_weights(whole.get_weights())
    expected = convert_to_numpy(whole(x))
    blocks, state = [], None
    for start in range(0, 9, block):
        y, state = streaming(x[:, start : start + block], state=state)
        blocks.append(convert_to_numpy(y))
        assert tuple(state.shape) == (2, 4 if cell == "lstm" else 2, 4)
    np.testing.assert_allclose(np.concatenate(blocks, axis=1), expected, atol=1e-5)
    from_a_state = convert_to_numpy(whole(x, state=state))
    assert np.abs(from_a_state - expected).max() > 1e-3


def test_states_pass_through_a_model_and_a_file(rng, tmp_path):
    inputs, state = keras.Input((None, 5)), keras.Input((4, 3))
    stack = RecurrentStack(3, 2, bidirectional=False, return_state=True)
    model = keras.Model([inputs, state], stack(inputs, state=state))
    model.save(tmp_path / "model.keras")
    model = keras.saving.load_model(tmp_path / "model.keras")
    x = rng.standard_normal((2, 9, 5)).astype("float32")
    start = np.zeros((2, 4, 3), "float32")
    whole, end = model.predict_on_batch([x, start])
    first, middle = model.predict_on_batch([x[:, :4], start])
    rest, last = model.predict_on_batch([x[:, 4:], middle])
    np.testing.assert_allclose(np.concatenate([first, rest], axis=1), whole, atol=1e-5)
    np.testing.assert_allclose(last, end, atol=1e-5)


def test_states_keep_their_precision_under_a_policy(rng, policy):
    policy("mixed_bfloat16")
    x = rng.standard_normal((1, 9, 5)).astype("float32")
    stack = RecurrentStack(4, bidirectional=False, return_state=True)
    _, end = stack(x)
    _, middle = stack(x[:, :5])
    _, last = stack(x[:, 5:], state=middle)
    assert keras.backend.standardize_dtype(last.dtype) == "float32"
    np.testing.assert_allclose(convert_to_numpy(last), convert_to_numpy(end), atol=1e-6)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_keras_may_take_its_gpu_kernels(rng, monkeypatch, cell, bidirectional, dtype):
    """Check that each layer requests a float32 kernel from its backend, with valid arguments."""
    asked = []

    def kernel(sequences, *states, **arguments):
        # The mask is passed by name, or after the states.
        asked.append({"sequences": sequences, "mask": states[-1], **arguments})
        raise NotImplementedError

    name = f"bidirectional_{cell}" if bidirectional else cell
    monkeypatch.setattr(keras.src.backend, name, kernel)
    stack = RecurrentStack(
        4, layers=2, bidirectional=bidirectional, dropout=0.5, cell=cell, dtype=dtype
    )
    stack(rng.standard_normal((2, 6, 5)).astype("float32"), training=True)
    assert len(asked) == 2
    for arguments in asked:
        assert keras.backend.standardize_dtype(arguments["sequences"].dtype) == "float32"
        assert arguments["mask"] is None
        assert arguments["activation"] is keras.activations.tanh
        assert arguments["recurrent_activation"] is keras.activations.sigmoid
        assert not arguments["unroll"]
        assert arguments.get("reset_after", True)
        biases = [value for key, value in arguments.items() if key.endswith("bias")]
        assert len(biases) == 1 + bidirectional
        assert all(bias is not None for bias in biases)


def test_refusals_of_states(rng):
    x = rng.standard_normal((1, 6, 5)).astype("float32")
    with pytest.raises(InputError, match="bidirectional=False"):
        RecurrentStack(4, return_state=True)
    with pytest.raises(InputError, match="bidirectional=False"):
        RecurrentStack(4)(x, state=np.zeros((1, 2, 4), "float32"))
    with pytest.raises(InputError, match=r"expected \(batch, 2, 4\)"):
        RecurrentStack(4, bidirectional=False)(x, state=np.zeros((1, 1, 4), "float32"))
    with pytest.raises(InputError, match="cell='rnn'"):
        RecurrentStack(4, cell="rnn")
