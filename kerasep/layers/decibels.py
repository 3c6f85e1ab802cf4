"""Layer: from magnitude to decibels."""

from typing import Any

import keras

from kerasep.errors import InputError
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class Decibels(Arguments, keras.layers.Layer):
    """Convert magnitude to dB, `10 log10(max(|Y / reference|^2, floor))`, in float32.

    Args:
        reference: the magnitude of 0 dB. A transform maps a constant signal at full scale
            to the sum of its window. Defaults to 1.
        floor: the smallest power relative to the reference, above 0. Defaults to 1e-8, -80 dB.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        Magnitude `(batch, frames, bins, channels)`, or any other shape.

    Output shape:
        Same as the input, in float32 under any policy.

    Raises:
        InputError: for a reference or a floor that is not above 0.

    Example:
    >>> import numpy as np
    >>> np.asarray(Decibels()(np.array([10.0, 1.0, 0.1, 0.0]))).round().tolist()
    [20.0, 0.0, -20.0, -80.0]
    """

    def __init__(self, reference: float = 1.0, floor: float = 1e-8, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        if reference <= 0 or floor <= 0:
            raise InputError(
                f"received reference={reference} and floor={floor}, expected both above 0"
            )

    def call(self, magnitude: Tensor) -> Tensor:
        """Convert each number to dB."""
        power = keras.ops.maximum(keras.ops.square(magnitude / self.reference), self.floor)
        return 10.0 * keras.ops.log10(power)
