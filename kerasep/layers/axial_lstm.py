"""Layer: an LSTM along frames or along bands."""

from typing import Any

import keras

from kerasep.errors import InputError
from kerasep.layers.global_layer_normalization import GlobalLayerNormalization
from kerasep.layers.recurrent_stack import RecurrentStack
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class AxialLSTM(Arguments, keras.layers.Layer):
    """Bidirectional LSTM along one of two axes, added to its input.

    The input is normalised over everything but the batch, passes the LSTM, and a dense layer
    returns to the input's features. A layer along bands and one along frames are a dual-path block:
    together they see everything.

    Args:
        units: units of each direction.
        axis: 1 for an LSTM along frames, 2 along bands. Defaults to 1.
        epsilon: added to the variance of the normalisation. Defaults to 1e-5.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, frames, bands, features)`.

    Output shape:
        The same.

    Raises:
        InputError: for another axis, or units below 1.

    Example:
    >>> import numpy as np
    >>> tuple(AxialLSTM(8, axis=2)(np.zeros((1, 20, 7, 16), "float32")).shape)
    (1, 20, 7, 16)

    Reference:
        Luo and Yu 2023, "Music source separation with band-split RNN"; Tong et al. 2024, "SCNet:
        sparse compression network for music source separation".
    """

    def __init__(self, units: int, axis: int = 1, epsilon: float = 1e-5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if axis not in (1, 2) or units < 1:
            raise InputError(
                f"received units={units}, axis={axis}, expected at least 1 unit, and axis 1 for "
                f"frames or 2 for bands"
            )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the layers."""
        features = input_shape[-1]
        same = {"dtype": self.dtype_policy}
        self.norm = GlobalLayerNormalization(self.epsilon, name="norm", **same)
        self.norm.build(input_shape)
        self.lstm = RecurrentStack(self.units, name="lstm", **same)
        self.lstm.build((None, None, features))
        self.dense = keras.layers.Dense(features, name="dense", **same)
        self.dense.build((None, None, 2 * self.units))

    def call(self, x: Tensor) -> Tensor:
        """Run along one axis of `(batch, frames, bands, features)`."""
        y = self.norm(x)
        if self.axis == 1:
            y = keras.ops.transpose(y, (0, 2, 1, 3))
        batch, rows, positions, features = keras.ops.shape(y)
        y = keras.ops.reshape(y, (batch * rows, positions, features))
        y = keras.ops.reshape(self.dense(self.lstm(y)), (batch, rows, positions, features))
        if self.axis == 1:
            y = keras.ops.transpose(y, (0, 2, 1, 3))
        return x + y

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the input."""
        return input_shape
