"""Layer: magnitude to decibels."""

import keras

from kerasep.errors import InputError


@keras.saving.register_keras_serializable("kerasep")
class Decibels(keras.layers.Layer):
    """Magnitude in dB, `10 log10(max(|Y|^2, floor))`, in float32 under any policy.

    Args:
        floor: the least power, above 0. Defaults to 1e-8, which is -80 dB.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        Magnitude `(batch, frames, bins, channels)`, or any other.

    Output shape:
        As the input's.

    Raises:
        InputError: for a floor that is not above 0.

    Example:
    >>> import numpy as np
    >>> np.round(Decibels()(np.array([10.0, 1.0, 0.1, 0.0]))).tolist()
    [20.0, 0.0, -20.0, -80.0]
    """

    def __init__(self, floor=1e-8, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        if floor <= 0:
            raise InputError(f"received floor={floor}, expected a power above 0, such as 1e-8")
        self.floor = floor

    def call(self, magnitude):
        """Decibels of each number."""
        power = keras.ops.maximum(keras.ops.square(magnitude), self.floor)
        return 10.0 * keras.ops.log10(power)

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "floor": self.floor}
