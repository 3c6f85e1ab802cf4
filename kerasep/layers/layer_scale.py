"""Layer: a learned factor per feature."""

from typing import Any

import keras

from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class LayerScale(Arguments, keras.layers.Layer):
    """Multiply each feature by a learned factor that starts near zero.

    At the end of a residual branch, it makes a new block nearly the identity, so that deep networks
    train stably from the start.

    Args:
        initial: initial value of all factors. Defaults to 1e-4.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, ..., features)`; the weight `scale` has the shape `(features,)`.

    Output shape:
        The same.

    Example:
    >>> import numpy as np
    >>> float(LayerScale(0.5)(np.ones((1, 7, 3), "float32"))[0, 0, 0])
    0.5

    Reference:
        Touvron et al. 2021, "Going deeper with image transformers".
    """

    def __init__(self, initial: float = 1e-4, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the factors."""
        initializer = keras.initializers.Constant(self.initial)
        self.scale = self.add_weight(
            shape=(input_shape[-1],), initializer=initializer, name="scale"
        )

    def call(self, x: Tensor) -> Tensor:
        """Scale `(batch, ..., features)`."""
        return x * self.scale

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the input."""
        return input_shape
