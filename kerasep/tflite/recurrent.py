"""LSTM and GRU as loops that TFLite runs fast, with the weights and results of Keras' layers.

Exported as Keras writes it, such a layer copies its whole output at every step, so that its time
grows with the square of the number of frames. Here the input's projection is one matrix product for
all frames, and the steps run in nested loops, each of which only ever copies its own few rows.
"""

import math

import keras
import tensorflow as tf

from kerasep.errors import InputError

try:  # TensorFlow has no public name for it; TFLite's DYNAMIC_UPDATE_SLICE is made of nothing else
    from tensorflow.compiler.tf2xla.python.xla import dynamic_update_slice
except ImportError:  # pragma: no cover - the versions that were tried have it
    dynamic_update_slice = None

# Microseconds that one step, carrying one row through one turn of a loop, and entering a loop take
# (measured for 256 units); only their ratios matter.
_STEP, _ROW, _ENTRY = 11.0, 0.07, 8.0


def recurrent_form(layer):
    """Return a replacement for a recurrent layer's `call`.

    Args:
        layer: a built `keras.layers.LSTM` or `keras.layers.GRU`.

    Returns:
        A function with the arguments and results of `layer.call`, or None for a layer with
        settings that have no fast form (another activation, `unroll`, `stateful`). Masks, and
        shapes that are not fixed, go to the layer's own `call`.

    Raises:
        InputError: for a TensorFlow without the operation that the loop is made of.
    """
    plain = (
        layer.activation is keras.activations.tanh
        and layer.recurrent_activation is keras.activations.sigmoid
        and not (layer.unroll or layer.stateful)
    )
    if not plain:
        return None
    if dynamic_update_slice is None:
        raise InputError(
            f"received TensorFlow {tf.__version__} without xla.dynamic_update_slice, expected 2.16 "
            f"to 2.21: export with one of those"
        )
    original = layer.call
    cell = _gru if isinstance(layer, keras.layers.GRU) else _lstm

    def call(sequences, initial_state=None, mask=None, training=False):
        if mask is not None or None in sequences.shape or training:
            return original(sequences, initial_state, mask, training)
        states = initial_state
        if states is None:
            states = layer.get_initial_state(sequences.shape[0])
        exact = layer.return_state or not layer.return_sequences
        states = [tf.convert_to_tensor(state) for state in keras.tree.flatten(states)]
        outputs, states = _run(layer, cell(layer.cell), sequences, states, exact)
        result = outputs if layer.return_sequences else states[0]
        return [result, *states] if layer.return_state else result

    return call


def _lstm(cell):
    """Return an LSTM's bias of the projection, and its step."""
    recurrent = tf.convert_to_tensor(cell.recurrent_kernel)

    def step(row, h, c):
        i, f, g, o = tf.split(row + tf.matmul(h, recurrent), 4, axis=-1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        return tf.sigmoid(o) * tf.tanh(c), c

    return cell.bias, step


def _gru(cell):
    """Return a GRU's bias of the projection, and its step."""
    recurrent = tf.convert_to_tensor(cell.recurrent_kernel)
    bias, recurrent_bias = cell.bias, 0.0
    if cell.use_bias and cell.reset_after:
        bias, recurrent_bias = tf.unstack(tf.convert_to_tensor(cell.bias))

    def after(row, h):
        update, reset, new = tf.split(row, 3, axis=-1)
        z, r, g = tf.split(tf.matmul(h, recurrent) + recurrent_bias, 3, axis=-1)
        return tf.sigmoid(update + z), tf.tanh(new + tf.sigmoid(reset + r) * g)

    def before(row, h):
        gates, new = tf.split(row, [2 * cell.units, cell.units], axis=-1)
        z, r = tf.split(tf.sigmoid(gates + tf.matmul(h, recurrent[:, : 2 * cell.units])), 2, -1)
        return z, tf.tanh(new + tf.matmul(r * h, recurrent[:, 2 * cell.units :]))

    def step(row, h):
        z, candidate = after(row, h) if cell.reset_after else before(row, h)
        return (z * h + (1 - z) * candidate,)

    return bias, step


def _run(layer, cell, sequences, states, exact):
    """Run a layer over `(batch, frames, features)`; return its outputs, and its last states."""
    bias, step = cell
    frames = sequences.shape[1]
    sizes = block_sizes(frames, exact)
    missing = -frames % math.prod(sizes)
    backwards = layer.go_backwards
    # Steps that are there only to fill the last block come last, in the direction of travel.
    filled = tf.pad(sequences, [[0, 0], [missing, 0] if backwards else [0, missing], [0, 0]])
    projected = tf.matmul(filled, layer.cell.kernel)
    if layer.use_bias:
        projected += bias
    rows = tf.transpose(projected, (1, 0, 2))
    outputs, states = _nested(rows, states, step, sizes, backwards)
    return tf.transpose(outputs[:frames], (1, 0, 2)), states


def _nested(rows, states, step, sizes, backwards):
    """Run `step` over rows `(count, batch, width)`; outputs come in the order of travel."""
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

    # Every row of it is written over; zeros would lie in the file.
    outputs = blocks[:, :, :units]
    _, outputs, *states = tf.while_loop(
        lambda turn, *_: turn < count, body, (0, outputs, *states), parallel_iterations=1
    )
    return tf.reshape(outputs, (count * length, batch, units)), states


def block_sizes(frames, exact=False):
    """Choose how many turns each of the nested loops makes.

    Few turns keep what a loop carries small, whole blocks keep steps from being wasted; the choice
    is the one of least estimated time.

    Args:
        frames: number of steps that are needed.
        exact: whether no step more may be made, because the last states are wanted. Defaults to
            False.

    Returns:
        Turns of each loop, outermost first; their product is at least `frames`.

    Example:
    >>> block_sizes(256)
    (4, 4, 16)
    """
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
