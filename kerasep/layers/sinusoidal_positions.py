"""Layer: sines and cosines of the position, added to the features."""

from typing import Any

import keras
import numpy as np

from kerasep.errors import InputError
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class SinusoidalPositions(Arguments, keras.layers.Layer):
    """Add sines and cosines of each position to the features, as Demucs' transformer has them.

    - Along one axis, with `d` features: first `cos(n period^(-2 i / (d - 2)))` for all `i` below
      `d / 2`, then the sines.
    - Along bins and frames: the first half of the features stands for the frame and the second for
      the bin. Of the `h` features of a half, feature `2 i` is `sin(n period^(-2 i / h))`, and
      feature `2 i + 1` is the cosine.

    Args:
        period: `2 pi period` is the slowest period in positions, nearly so for bins and frames.
            Defaults to 10000.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, frames, features)`, an even number of features of 4 or more; or `(batch, bins,
        frames, features)`, where it is a multiple of 4.

    Output shape:
        The same.

    Raises:
        InputError: for a period of 1 or less, or another number of features.

    Example:
    >>> import numpy as np
    >>> positions = SinusoidalPositions()(np.zeros((1, 2, 4), "float32"))
    >>> np.round(np.asarray(positions, "float64")[0], 2).tolist()
    [[1.0, 1.0, 0.0, 0.0], [0.54, 1.0, 0.84, 0.0]]

    Reference:
        Vaswani et al. 2017, "Attention is all you need"; Rouard, Massa and Defossez 2023, "Hybrid
        transformers for music source separation".
    """

    def __init__(self, period: float = 10000.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not period > 1:
            raise InputError(f"received period={period}, expected a number above 1")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Compute the speed of each angle."""
        features, axes = input_shape[-1] or 0, len(input_shape) - 2
        if features % (2 * axes) or features < 4:
            raise InputError(
                f"received {features} features, expected a multiple of {2 * axes} from 4 on"
            )
        pairs = np.arange(features // (2 * axes))
        exponents = pairs / (len(pairs) - 1) if axes == 1 else pairs / len(pairs)
        self.speeds = (float(self.period) ** -exponents).astype("float32")

    def call(self, x: Tensor) -> Tensor:
        """Add the positions to `(batch, frames, features)` or `(batch, bins, frames, features)`."""
        shape = keras.ops.shape(x)
        if len(shape) == 3:
            angles = self._angles(shape[1])
            parts = [keras.ops.cos(angles), keras.ops.sin(angles)]
            return x + keras.ops.cast(keras.ops.concatenate(parts, -1), x.dtype)[None]
        halves = []
        for count in (shape[2], shape[1]):
            angles = self._angles(count)
            pairs = keras.ops.stack([keras.ops.sin(angles), keras.ops.cos(angles)], axis=-1)
            halves.append(keras.ops.reshape(pairs, (count, 2 * len(self.speeds))))
        frames, bins = (keras.ops.cast(half, x.dtype) for half in halves)
        # Broadcast: every bin gets the frames' half, every frame the bins'.
        first, second = keras.ops.split(x, 2, axis=-1)
        parts = [first + frames[None, None], second + bins[None, :, None]]
        return keras.ops.concatenate(parts, axis=-1)

    def _angles(self, count):
        # The angles need float32: bfloat16 has no odd number above 256.
        positions = keras.ops.arange(count, dtype="float32")
        return keras.ops.multiply(keras.ops.reshape(positions, (-1, 1)), self.speeds)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the input."""
        return input_shape
