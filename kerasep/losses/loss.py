"""What all losses share."""

import keras

from kerasep.system.arguments import Arguments


class _Loss(Arguments, keras.losses.Loss):
    """Keras loss in float32 under any mixed-precision policy."""

    def __init__(self, name, reduction="sum_over_batch_size", dtype="float32"):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def get_config(self):
        """Return the constructor's arguments, and those of Keras' losses."""
        return {**super().get_config(), "dtype": self.dtype}
