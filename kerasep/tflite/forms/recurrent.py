"""LSTM and GRU as loops that TFLite runs fast, with the weights and results of Keras' layers.

A layer exported as Keras writes it copies its whole output at every step, so its time grows with
the square of the number of frames. Here the steps run in nested loops that copy only their own few
rows. For small batches the input's projection is one matrix product for all frames.
"""

import math

import keras
import tensorflow as tf

from kerasep.errors import InputError

try:  # no public name, but nothing else becomes TFLite's DYNAMIC_UPDATE_SLICE
    from tensorflow.compiler.tf2xla.python.xla import dynamic_update_slice
except ImportError:  # pragma: no cover - the tested versions have it
    dynamic_update_slice = None

# Microseconds for one step, for carrying one row through one turn of a loop, and for entering a
# loop (measured for 256 units). Only their ratios matter.
_STEP, _ROW, _ENTRY = 11.0, 0.07, 8.0

# From this batch on, an LSTM projects its input with its memory, step by step. A product of all
# frames is faster only for few rows, and the loops copy its result, four times the units.
_MANY_ROWS = 8


def recurrent_form(layer):
    """Return a replacement for the `call` of a built LSTM or GRU, or None if it has none."""
    plain = (
        layer.activation is keras.activations.tanh
        and layer.recurrent_activation is keras.activations.sigmoid
        and not (layer.unroll or layer.stateful)
    )
    if not plain:
        return None
    _check_tensorflow()
    original = layer.call

    def call(sequences, initial_state=None, mask=None, training=False):
        if mask is not None or None in sequences.shape or training:
            return original(sequences, initial_state, mask, training)
        states = initial_state
        if states is None:
            states = layer.get_initial_state(sequences.shape[0])
        exact = layer.return_state or not layer.return_sequences
        states = [tf.convert_to_tensor(state) for state in keras.tree.flatten(states)]
        outputs, states = _run(layer, sequences, states, exact)
        result = outputs if layer.return_sequences else states[0]
        return [result, *states] if layer.return_state else result

    return call


def grouped_gru_form(layer):
    """Return a replacement for the `call` of a built `GroupedGRU`."""
    _check_tensorflow()
    original = layer.call

    def loop(projected, kernel, bias, start):
        sizes = block_sizes(projected.shape[0])
        missing = -projected.shape[0] % math.prod(sizes)
        rows = tf.pad(projected, [[0, missing], [0, 0], [0, 0]])
        outputs, _ = _nested(rows, [start], _gru_step(kernel, bias), sizes, backwards=False)
        return outputs[: projected.shape[0]]

    return lambda x: original(x) if None in x.shape else layer.run(x, loop)


def _check_tensorflow():
    if dynamic_update_slice is None:
        raise InputError(
            f"received TensorFlow {tf.__version__} without xla.dynamic_update_slice, expected 2.16 "
            f"to 2.21: install one of those to export"
        )


def _lstm(cell, project, sequences):
    """Return what an LSTM's loop takes of each frame, and its step."""
    recurrent = tf.convert_to_tensor(cell.recurrent_kernel)
    batch, _, features = sequences.shape

    def update(gates, c):
        i, f, g, o = tf.split(gates, 4, axis=-1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        return tf.sigmoid(o) * tf.tanh(c), c

    # The loops write the outputs over the first features.
    if batch < _MANY_ROWS or not cell.units <= features <= 4 * cell.units:
        return project(cell.bias), lambda row, h, c: update(row + tf.matmul(h, recurrent), c)
    both = tf.concat([tf.convert_to_tensor(cell.kernel), recurrent], axis=0)
    bias = cell.bias if cell.use_bias else 0.0
    return sequences, lambda row, h, c: update(tf.matmul(tf.concat([row, h], -1), both) + bias, c)


def _gru(cell, project, _):
    """Return what a GRU's loop takes of each frame, and its step."""
    recurrent = tf.convert_to_tensor(cell.recurrent_kernel)
    if not cell.reset_after:
        return project(cell.bias), _gru_step_with_early_reset(recurrent)
    bias, recurrent_bias = tf.unstack(tf.convert_to_tensor(cell.bias)) if cell.use_bias else (0, 0)
    return project(bias), _gru_step(recurrent, recurrent_bias)


def _gru_step(kernel, bias):
    """Return a step whose reset gate multiplies the projected memory."""

    def step(row, h):
        update, reset, new = tf.split(row, 3, axis=-1)
        z, r, g = tf.split(tf.matmul(h, kernel) + bias, 3, axis=-1)
        z, candidate = tf.sigmoid(update + z), tf.tanh(new + tf.sigmoid(reset + r) * g)
        return (z * h + (1 - z) * candidate,)

    return step


def _gru_step_with_early_reset(kernel):
    """Return a step whose reset gate multiplies the memory before its projection."""

    def step(row, h):
        units = h.shape[-1]
        gates, new = tf.split(row, [2 * units, units], axis=-1)
        z, r = tf.split(tf.sigmoid(gates + tf.matmul(h, kernel[:, : 2 * units])), 2, -1)
        candidate = tf.tanh(new + tf.matmul(r * h, kernel[:, 2 * units :]))
        return (z * h + (1 - z) * candidate,)

    return step


def _run(layer, sequences, states, exact):
    """Run a layer over `(batch, frames, features)`; return its outputs and last states."""
    frames = sequences.shape[1]
    sizes = block_sizes(frames, exact)
    missing = -frames % math.prod(sizes)
    backwards = layer.go_backwards
    # Steps that only fill the last block come last, in the direction of travel.
    filled = tf.pad(sequences, [[0, 0], [missing, 0] if backwards else [0, missing], [0, 0]])

    def project(bias):
        projected = tf.matmul(filled, layer.cell.kernel)
        return projected + bias if layer.use_bias else projected

    cell = _gru if isinstance(layer, keras.layers.GRU) else _lstm
    inputs, step = cell(layer.cell, project, filled)
    rows = tf.transpose(inputs, (1, 0, 2))
    outputs, states = _nested(rows, states, step, sizes, backwards)
    return tf.transpose(outputs[:frames], (1, 0, 2)), states


def _nested(rows, states, step, sizes, backwards):
    """Run `step` over rows `(count, batch, width)`; return outputs in the order of travel."""
    batch, units = states[0].shape
    width = rows.shape[-1]
    inner = sizes[1:]
    length = math.prod(inner)
    count = rows.shape[0] // length
    blocks = tf.reshape(rows, (count, length * batch, width))

    def body(turn, outputs, *states):
        taken = count - 1 - turn if backwards else turn
        block = tf.slice(blocks, tf.stack([taken, 0, 0]), (1, length * batch, width))
        if inner:
            block = tf.reshape(block, (length, batch, width))
            result, states = _nested(block, states, step, inner, backwards)
        else:
            states = step(tf.reshape(block, (batch, width)), *states)
            result = states[0]
        result = tf.reshape(result, (1, length * batch, units))
        return turn + 1, dynamic_update_slice(outputs, result, tf.stack([turn, 0, 0])), *states

    # A buffer whose rows are all overwritten; zeros would be stored in the file.
    outputs = blocks[:, :, :units]
    _, outputs, *states = tf.while_loop(
        lambda turn, *_: turn < count, body, (0, outputs, *states), parallel_iterations=1
    )
    return tf.reshape(outputs, (count * length, batch, units)), states


def block_sizes(frames, exact=False):
    """Return the fastest turns of nested loops: together `frames` or, unless `exact`, more."""
    choices = [(frames,)]
    for inner in range(4, 33):
        choices.append((-(-frames // inner), inner))
        choices += [(-(-frames // (inner * m)), m, inner) for m in range(4, 33)]
    if exact:
        choices = [sizes for sizes in choices if math.prod(sizes) == frames]
    return min(choices, key=_estimated_time)


def _estimated_time(sizes):
    entries = sum(math.prod(sizes[:depth]) for depth in range(1, len(sizes)))
    return math.prod(sizes) * (_STEP + _ROW * sum(sizes)) + _ENTRY * entries
