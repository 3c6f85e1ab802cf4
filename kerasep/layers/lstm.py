"""The LSTM of `RecurrentStack`: Keras' layer with a faster loop for small batches on a CPU."""

import keras

from kerasep.ops import lstm

# `kerasep.ops.lstm` avoids work on the gradient that grows with the units, at a cost that grows
# with the batch. As measured, it is faster from this ratio on. A batch of unknown size counts as
# one of the usual size in training.
UNITS_PER_EXAMPLE = 8
USUAL_BATCH = 32


class _Loop(keras.layers.RNN):
    """The loop that an LSTM falls back on if Keras has no kernel for it."""

    def inner_loop(self, sequences, initial_state, mask, training=False):
        cell = self.cell
        batch = sequences.shape[0] if isinstance(sequences.shape[0], int) else USUAL_BATCH
        pays = cell.units >= UNITS_PER_EXAMPLE * batch
        plain = (
            cell.activation is keras.activations.tanh
            and cell.recurrent_activation is keras.activations.sigmoid
            and not (cell.dropout or cell.recurrent_dropout or self.unroll or self.stateful)
        )
        if mask is not None or not plain or not pays:
            return super().inner_loop(sequences, initial_state, mask, training)
        projected = keras.ops.matmul(keras.ops.transpose(sequences, (1, 0, 2)), cell.kernel)
        if cell.use_bias:
            projected = projected + cell.bias
        if self.go_backwards:
            projected = keras.ops.flip(projected, axis=0)
        # A copy is a tensor: TensorFlow's gradients of functions take no variables.
        kernel = keras.ops.copy(cell.recurrent_kernel)
        outputs = lstm(projected, kernel, *initial_state, memory=self.return_state)
        states = []
        if self.return_state:
            outputs, memory = keras.ops.split(outputs, 2, axis=-1)
            states = [outputs[-1], memory[-1]]
        return outputs[-1], keras.ops.transpose(outputs, (1, 0, 2)), states


# Between Keras' LSTM and its RNN, the loop is what `super` finds without cuDNN. Masks,
# dropout inside the layer, `unroll`, `stateful` and other activations use Keras' own loop. The
# class keeps Keras' name: saved files have the weights under it.
@keras.saving.register_keras_serializable("kerasep")
class LSTM(keras.layers.LSTM, _Loop):
    """`keras.layers.LSTM`, faster on a CPU if the batch is small compared to the units."""
