"""The loops of LSTM and GRU and their gradients against those of plain loops."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras.ops import convert_to_numpy

from kerasep import ops


def derived(projected, kernel, h, c, memory):
    """Compute the LSTM by a plain loop over frames."""
    outputs = []
    for row in keras.ops.unstack(projected):
        i, f, g, o = keras.ops.split(row + keras.ops.matmul(h, kernel), 4, axis=-1)
        c = keras.ops.sigmoid(f) * c + keras.ops.sigmoid(i) * keras.ops.tanh(g)
        h = keras.ops.sigmoid(o) * keras.ops.tanh(c)
        outputs.append(keras.ops.concatenate([h, c], axis=-1) if memory else h)
    return keras.ops.stack(outputs)


def gradients(function, arguments, weights):
    """Return the result of a function, and the gradients of its weighted sum."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        def total(*arguments):
            result = function(*arguments)
            return keras.ops.sum(result * weights), result

        grads, result = jax.jit(
            jax.grad(total, argnums=range(len(arguments)), has_aux=True),
        )(*arguments)
    elif backend == "tensorflow":
        import tensorflow as tf

        @tf.function
        def run(*arguments):
            with tf.GradientTape() as tape:
                tape.watch(arguments)
                result = function(*arguments)
                total = tf.reduce_sum(result * weights)
            return tape.gradient(total, arguments), result

        grads, result = run(*map(tf.constant, arguments))
    else:
        tensors = [keras.ops.convert_to_tensor(each).requires_grad_() for each in arguments]
        result = function(*tensors)
        keras.ops.sum(result * keras.ops.convert_to_tensor(weights)).backward()
        grads = [each.grad for each in tensors]
        result = result.detach()
    return [convert_to_numpy(each) for each in (result, *grads)]


@settings(deadline=None, max_examples=6)
@given(
    frames=st.integers(1, 9),
    batch=st.integers(1, 3),
    units=st.integers(1, 5),
    memory=st.booleans(),
    seed=st.integers(0, 100),
)
def test_equals_what_is_derived_step_by_step(frames, batch, units, memory, seed):
    rng = np.random.default_rng(seed)
    shapes = [(frames, batch, 4 * units), (units, 4 * units), (batch, units), (batch, units)]
    arguments = [rng.standard_normal(shape).astype("float32") for shape in shapes]
    weights = rng.standard_normal((frames, batch, (1 + memory) * units)).astype("float32")
    expected = gradients(lambda *args: derived(*args, memory), arguments, weights)
    received = gradients(lambda *args: ops.lstm(*args, memory=memory), arguments, weights)
    for ours, theirs in zip(received, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_computes_in_the_type_that_it_is_given(rng, dtype):
    if dtype == "float64" and keras.backend.backend() == "jax":
        pytest.skip("JAX has no float64 unless told to")
    shapes = [(6, 2, 12), (3, 12), (2, 3), (2, 3)]
    arguments = [keras.ops.convert_to_tensor(rng.standard_normal(s), dtype) for s in shapes]
    received = ops.lstm(*arguments)
    assert keras.backend.standardize_dtype(received.dtype) == dtype
    expected = derived(*arguments, False)
    tolerance = 1e-2 if dtype == "float16" else 1e-6
    np.testing.assert_allclose(
        convert_to_numpy(received), convert_to_numpy(expected), atol=tolerance
    )


def derived_gru(projected, kernel, bias, h):
    """Compute the GRU by a plain loop over frames."""
    outputs = []
    for row in keras.ops.unstack(projected):
        update, reset, new = keras.ops.split(row, 3, axis=-1)
        by_memory = keras.ops.split(keras.ops.matmul(h, kernel) + bias, 3, axis=-1)
        update = keras.ops.sigmoid(update + by_memory[0])
        reset = keras.ops.sigmoid(reset + by_memory[1])
        h = update * h + (1 - update) * keras.ops.tanh(new + reset * by_memory[2])
        outputs.append(h)
    return keras.ops.stack(outputs)


@settings(deadline=None, max_examples=6)
@given(
    frames=st.integers(1, 9),
    batch=st.integers(1, 3),
    units=st.integers(1, 5),
    seed=st.integers(0, 100),
)
def test_gru_equals_what_is_derived_step_by_step(frames, batch, units, seed):
    rng = np.random.default_rng(seed)
    shapes = [(frames, batch, 3 * units), (units, 3 * units), (3 * units,), (batch, units)]
    arguments = [rng.standard_normal(shape).astype("float32") for shape in shapes]
    weights = rng.standard_normal((frames, batch, units)).astype("float32")
    expected = gradients(derived_gru, arguments, weights)
    received = gradients(ops.gru, arguments, weights)
    for ours, theirs in zip(received, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5, rtol=1e-5)
