"""Layer: several LSTM layers on top of each other."""

import keras

from kerasep.errors import InputError


@keras.saving.register_keras_serializable("kerasep")
class RecurrentStack(keras.layers.Layer):
    """LSTM layers over frames, with dropout between them.

    On a GPU they run as cuDNN kernels. Those take float32 alone, so the stack computes in float32
    under any mixed-precision policy and hands its result on in the policy's type.

    Args:
        units: units of each direction: a bidirectional layer gives `2 * units` features. (Papers
            differ: "600 units" may mean 600 or 300 in each direction.)
        layers: how many layers. Defaults to 1.
        bidirectional: whether every layer also runs backwards in time. Defaults to True.
        dropout: share of features set to zero between layers in training; none after the last
            layer. Defaults to 0.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, frames, features)`.

    Output shape:
        `(batch, frames, units)`, or `2 * units` when bidirectional.

    Raises:
        InputError: for units or layers below 1, or dropout outside 0 to 1.

    Example:
    >>> import numpy as np
    >>> tuple(RecurrentStack(8, layers=2)(np.zeros((1, 5, 3), "float32")).shape)
    (1, 5, 16)
    """

    def __init__(self, units, layers=1, bidirectional=True, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        if units < 1 or layers < 1 or not 0 <= dropout < 1:
            raise InputError(
                f"received units={units}, layers={layers}, dropout={dropout}, expected at least "
                f"one unit and layer, and dropout from 0 to below 1"
            )
        self.units = units
        self.layers = layers
        self.bidirectional = bidirectional
        self.dropout = dropout
        self.cells = []
        originals = []
        # Bidirectional copies its layer and drops it. While Keras loads a file, it takes objects of
        # the same id for the same object: kept, in a function to be no layers of ours, no later
        # layer gets the id of a dropped one, and with it that one's copy.
        self.originals = lambda: originals
        for index in range(layers):
            cell = keras.layers.LSTM(
                units, return_sequences=True, dtype="float32", name=f"lstm_{index}"
            )
            if bidirectional:
                originals.append(cell)
                cell = keras.layers.Bidirectional(cell, dtype="float32", name=f"blstm_{index}")
            self.cells.append(cell)
        self.drop = keras.layers.Dropout(dropout, dtype="float32", name="dropout")

    def build(self, input_shape):
        """Build the layers one by one."""
        for cell in self.cells:
            cell.build(input_shape)
            input_shape = cell.compute_output_shape(input_shape)
        self.drop.build(input_shape)

    def call(self, x, training=None):
        """Run over `(batch, frames, features)`."""
        x = keras.ops.cast(x, "float32")
        for index, cell in enumerate(self.cells):
            if index and self.dropout:
                x = self.drop(x, training=training)
            x = cell(x)
        return keras.ops.cast(x, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        """Shape of the result."""
        return (*input_shape[:-1], self.units * (2 if self.bidirectional else 1))

    def get_config(self):
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "units": self.units,
            "layers": self.layers,
            "bidirectional": self.bidirectional,
            "dropout": self.dropout,
        }
