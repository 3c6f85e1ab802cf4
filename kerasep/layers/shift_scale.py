"""Layer: a learned shift and scale for each position of the last axis."""

from typing import Any

import keras

from kerasep.errors import InputError
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class ShiftScale(Arguments, keras.layers.Layer):
    """Learned normalisation: `(x + shift) * scale`, or `x * scale + shift`.

    The first form normalises an input; good initial values are `shift = -mean` and `scale = 1 /
    std` of the training data. The second form restores the range of an output.

    Args:
        order: "shift_scale" for `(x + shift) * scale`, "scale_shift" for `x * scale + shift`.
            Defaults to "shift_scale".
        shift_initializer: initializer of the shift. Defaults to "zeros".
        scale_initializer: initializer of the scale. Defaults to "ones".
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(..., features)`; weights `shift` and `scale` of shape `(features,)`.

    Output shape:
        Same as the input.

    Raises:
        InputError: for an unknown order.

    Example:
    >>> import numpy as np
    >>> layer = ShiftScale(shift_initializer="ones")
    >>> keras.ops.convert_to_numpy(layer(np.ones((1, 3), "float32"))).tolist()
    [[2.0, 2.0, 2.0]]

    Reference:
        Stoeter et al. 2019, "Open-Unmix - a reference implementation for music source separation".
    """

    def __init__(
        self,
        order: str = "shift_scale",
        shift_initializer: str | keras.Initializer = "zeros",
        scale_initializer: str | keras.Initializer = "ones",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if order not in ("shift_scale", "scale_shift"):
            raise InputError(f"received order={order!r}, expected shift_scale or scale_shift")
        self.shift_initializer = keras.initializers.get(shift_initializer)
        self.scale_initializer = keras.initializers.get(scale_initializer)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create both weights."""
        shape = (input_shape[-1],)
        self.shift = self.add_weight(shape=shape, initializer=self.shift_initializer, name="shift")
        self.scale = self.add_weight(shape=shape, initializer=self.scale_initializer, name="scale")

    def call(self, x: Tensor) -> Tensor:
        """Shift and scale the last axis."""
        if self.order == "shift_scale":
            return (x + self.shift) * self.scale
        return x * self.scale + self.shift
