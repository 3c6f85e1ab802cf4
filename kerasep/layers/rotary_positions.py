"""Layer: rotary position embedding of queries and keys."""

from typing import Any

import keras
import numpy as np

from kerasep.errors import InputError
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class RotaryPositions(Arguments, keras.layers.Layer):
    """Rotate pairs of features by angles that grow with the position: `angle = n base^(-2 i / d)`.

    Pair `i` of `d` features is feature `i` of the first half and feature `i` of the second half.
    The product of a rotated query and a rotated key then depends on the distance of their positions
    only. Published code often pairs neighbours instead, features `2 i` and `2 i + 1`. That is the
    same with the features in another order, which the importers change in the weights.

    Args:
        base: ratio of the slowest angle to the fastest, nearly. Defaults to 10000.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, positions, heads, features)`, an even number of features.

    Output shape:
        The same.

    Raises:
        InputError: for a base of 1 or less, or an odd number of features.

    Example:
    >>> import numpy as np
    >>> rotated = RotaryPositions()(np.ones((1, 3, 1, 2), "float32"))
    >>> np.round(np.asarray(rotated, "float64")[0, :, 0], 2).tolist()
    [[1.0, 1.0], [-0.3, 1.38], [-1.33, 0.49]]

    Reference:
        Su et al. 2021, "RoFormer: enhanced transformer with rotary position embedding".
    """

    def __init__(self, base: float = 10000.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not base > 1:
            raise InputError(f"received base={base}, expected a number above 1")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Compute the angle of each pair at position 1."""
        features = input_shape[-1]
        if not features or features % 2:
            raise InputError(f"received {features} features, expected an even number")
        exponents = np.arange(0, features, 2) / features
        self.angles = (float(self.base) ** -exponents).astype("float32")

    def call(self, x: Tensor) -> Tensor:
        """Rotate `(batch, positions, heads, features)`."""
        # The angles need float32: bfloat16 has no odd number above 256.
        positions = keras.ops.arange(keras.ops.shape(x)[1], dtype="float32")
        angles = keras.ops.multiply(keras.ops.reshape(positions, (1, -1, 1, 1)), self.angles)
        cosine = keras.ops.cast(keras.ops.cos(angles), x.dtype)
        sine = keras.ops.cast(keras.ops.sin(angles), x.dtype)
        first, second = keras.ops.split(x, 2, axis=-1)
        rotated = first * cosine - second * sine, second * cosine + first * sine
        return keras.ops.concatenate(rotated, axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the input."""
        return input_shape
