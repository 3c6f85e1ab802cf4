"""The LSTM layer against Keras' LSTM, which differs only in the loop."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras.ops import convert_to_numpy

from kerasep.layers import RecurrentStack, lstm
from kerasep.layers.lstm import LSTM

UNITS = 2 * lstm.UNITS_PER_EXAMPLE  # enough for a batch of two


def pair(shape, **arguments):
    """Return our layer and Keras', with the same nonzero weights."""
    layers = LSTM(UNITS, **arguments), keras.layers.LSTM(UNITS, **arguments)
    rng = np.random.default_rng(0)
    for layer in layers:
        layer.build(shape)
    weights = [0.4 * rng.standard_normal(each.shape) for each in layers[0].get_weights()]
    for layer in layers:
        layer.set_weights(weights)
    return layers


def assert_equal(received, expected, tolerance=2e-6):
    received, expected = keras.tree.flatten(received), keras.tree.flatten(expected)
    for ours, theirs in zip(received, expected, strict=True):
        np.testing.assert_allclose(
            convert_to_numpy(ours), convert_to_numpy(theirs), atol=tolerance, rtol=tolerance
        )


@pytest.fixture
def calls(monkeypatch):
    """Count the runs of our loop; with a kernel of Keras, as on PyTorch, there are none."""
    found = []
    monkeypatch.setattr(lstm, "lstm", lambda *a, f=lstm.lstm, **k: found.append(1) or f(*a, **k))
    return found


@settings(deadline=None, max_examples=8)
@given(
    frames=st.integers(1, 9),
    batch=st.integers(1, 2),
    features=st.integers(1, 5),
    state=st.booleans(),
    settings=st.fixed_dictionaries(
        {
            name: st.booleans()
            for name in ("go_backwards", "return_sequences", "return_state", "use_bias")
        }
    ),
)
def test_results_are_those_of_keras(frames, batch, features, state, settings):
    rng = np.random.default_rng(frames)
    x = rng.standard_normal((batch, frames, features)).astype("float32")
    ours, theirs = pair(x.shape, **settings)
    initial = [rng.standard_normal((batch, UNITS)).astype("float32") for _ in range(2)]
    initial = initial if state else None
    assert_equal(ours(x, initial_state=initial), theirs(x, initial_state=initial))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision(rng, policy):
    x = rng.standard_normal((2, 7, 3)).astype("float32")
    ours, theirs = pair(x.shape, dtype=policy, return_sequences=True)
    received, expected = ours(x), theirs(x)
    assert received.dtype == expected.dtype
    cast = [keras.ops.cast(each, "float32") for each in (received, expected)]
    assert_equal(*cast, 1e-2 if policy == "mixed_float16" else 5e-2)


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="PyTorch has a kernel for it")
def test_the_loop_runs_where_it_pays_and_changes_nothing_else(rng, calls):
    x = rng.standard_normal((2, 5, 3)).astype("float32")
    ours, theirs = pair(x.shape, return_sequences=True)
    assert_equal(ours(x), theirs(x))
    assert calls == [1]
    wide = np.concatenate([x, x])
    assert_equal(ours(wide), theirs(wide))
    mask = np.array([[True] * 5, [True, True, True, False, False]])
    assert_equal(ours(x, mask=mask), theirs(x, mask=mask))
    for other in ({"activation": "relu"}, {"recurrent_activation": "hard_sigmoid"}):
        assert_equal(*(layer(x) for layer in pair(x.shape, **other)))
    for other in ({"unroll": True}, {"stateful": True}):
        assert_equal(*(layer(x) for layer in pair(x.shape, **other)))
    assert calls == [1]


def test_training_gives_the_weights_that_keras_gives(rng):
    x = rng.standard_normal((6, 5, 3)).astype("float32")
    y = rng.standard_normal((6, 5, 2 * UNITS)).astype("float32")
    trained = []
    for layer in pair(x.shape, return_sequences=True):
        inputs = keras.Input((None, 3))
        both = keras.layers.Bidirectional(layer)
        model = keras.Model(inputs, both(inputs))
        values = layer.get_weights()
        model.set_weights([*values, *values])
        model.compile(keras.optimizers.SGD(0.5), "mse")
        model.fit(x, y, batch_size=2, epochs=2, shuffle=False, verbose=0)
        trained.append(model.get_weights())
    assert_equal(*trained, 1e-5)


def test_files_written_with_keras_layer_are_read(rng, tmp_path, monkeypatch):
    from kerasep.layers import recurrent_stack

    x = rng.standard_normal((2, 6, 3)).astype("float32")

    def model():
        inputs = keras.Input((None, 3))
        hidden = RecurrentStack(UNITS, 2, bidirectional=False, name="causal")(inputs)
        return keras.Model(inputs, RecurrentStack(UNITS, 2, name="both")(hidden))

    monkeypatch.setitem(recurrent_stack.CELLS, "lstm", keras.layers.LSTM)
    old = model()
    old.save(tmp_path / "old.keras")
    old.save_weights(tmp_path / "old.weights.h5")
    monkeypatch.undo()
    paths = [weight.path for weight in old.weights]
    new = model()
    assert [weight.path for weight in new.weights] == paths
    new.load_weights(tmp_path / "old.weights.h5")
    loaded = keras.saving.load_model(tmp_path / "old.keras")
    for each in (new, loaded):
        assert type(each.get_layer("causal").cells[0]) is LSTM
        assert_equal(each(x), old(x))


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="exported from TensorFlow")
def test_a_saved_model_of_any_size_keeps_results_and_gradients(rng, tmp_path, calls):
    import tensorflow as tf

    inputs = keras.Input((None, 3))
    model = keras.Model(inputs, RecurrentStack(256)(inputs))
    model.export(tmp_path / "model", verbose=False)
    assert calls
    x = tf.constant(rng.standard_normal((2, 6, 3)).astype("float32"))
    found = []
    loaded = tf.saved_model.load(tmp_path / "model")
    for function in (loaded.serve, model):
        with tf.GradientTape() as tape:
            tape.watch(x)
            result = function(x)
            total = tf.reduce_sum(result**2)
        found.append((result, tape.gradient(total, x)))
    assert_equal(*found)
