"""Layer: magnitude to decibels."""

import keras

from kerasep.errors import InputError
from kerasep.system.arguments import Arguments


@keras.saving.register_keras_serializable("kerasep")
class Decibels(Arguments, keras.layers.Layer):
    """Magnitude in dB, `10 log10(max(|Y / reference|^2, floor))`, in float32 under any policy.

    Args:
        reference: the magnitude of 0 dB. The sum of a transform's window is what it makes of a
            constant signal at full scale. Defaults to 1.
        floor: the least power over the reference's, above 0. Defaults to 1e-8, which is -80 dB.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        Magnitude `(batch, frames, bins, channels)`, or any other.

    Output shape:
        As the input's.

    Raises:
        InputError: for a reference or a floor that is not above 0.

    Example:
    >>> import numpy as np
    >>> np.asarray(Decibels()(np.array([10.0, 1.0, 0.1, 0.0]))).round().tolist()
    [20.0, 0.0, -20.0, -80.0]
    """

    def __init__(self, reference=1.0, floor=1e-8, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        if reference <= 0 or floor <= 0:
            raise InputError(
                f"received reference={reference} and floor={floor}, expected both above 0"
            )

    def call(self, magnitude):
        """Decibels of each number."""
        power = keras.ops.maximum(keras.ops.square(magnitude / self.reference), self.floor)
        return 10.0 * keras.ops.log10(power)
