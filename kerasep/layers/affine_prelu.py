"""Layer: PReLU beside a learned line for each band."""

from typing import Any

import keras
from keras import ops

from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class AffinePReLU(Arguments, keras.layers.Layer):
    """Activation `gamma x + beta + prelu(x)`, where gamma and beta depend on band and channel.

    The slope of the PReLU depends on the channel alone. In contrast to a convolution, the layer
    can treat each band differently.

    Args:
        slope: initial slope of the PReLU. Defaults to 0.25.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, frames, bands, channels)`.

    Output shape:
        The same.

    Example:
    >>> import numpy as np
    >>> np.asarray(AffinePReLU()(np.array([[[[-4.0], [4.0]]]], "float32"))).ravel().tolist()
    [-5.0, 8.0]

    Reference:
        Rong, Liu, Hu, Zhu and Lu 2025, "UL-UNAS: ultra-lightweight U-Nets for real-time speech
        enhancement via network architecture search".
    """

    def __init__(self, slope: float = 0.25, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the weights."""
        shape = tuple(input_shape[2:])
        constant = keras.initializers.Constant(self.slope)
        self.gamma = self.add_weight(shape=shape, initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=shape, initializer="zeros", name="beta")
        self.alpha = self.add_weight(shape=shape[-1:], initializer=constant, name="alpha")

    def call(self, x: Tensor) -> Tensor:
        """Apply to `(batch, frames, bands, channels)`."""
        # TFLite has one operation for a sum in this form, if the slopes have axes for the others.
        slopes = ops.reshape(self.alpha, (1, 1, -1))
        prelu = ops.relu(x) + -slopes * ops.relu(-x)
        return x * self.gamma + self.beta + prelu

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the result."""
        return input_shape
