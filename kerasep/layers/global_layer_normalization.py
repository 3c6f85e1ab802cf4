"""Layer: normalise by the mean and variance of a whole example (gLN)."""

from typing import Any

import keras

from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class GlobalLayerNormalization(Arguments, keras.layers.Layer):
    """Global layer normalisation, gLN: mean and variance of an example over all its axes.

    `gamma (x - mean) / sqrt(variance + epsilon) + beta`, computed in float32. It sees the future:
    for a causal model use `CumulativeLayerNormalization` or `keras.layers.LayerNormalization`.
    (`keras.layers.GroupNormalization(groups=1)` has the same formula, but loses precision far from
    zero, especially on PyTorch.)

    Args:
        epsilon: added to the variance. Defaults to 1e-8.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, frames, ..., features)`; weights `gamma` and `beta` of shape `(features,)`.

    Output shape:
        Same as the input.

    Example:
    >>> import numpy as np
    >>> x = np.random.randn(2, 50, 9, 2).astype("float32")
    >>> y = keras.ops.convert_to_numpy(GlobalLayerNormalization()(7 * x + 3))
    >>> bool(np.allclose(y.mean(axis=(1, 2, 3)), 0, atol=1e-5))
    True

    Reference:
        Luo and Mesgarani 2019, "Conv-TasNet: surpassing ideal time-frequency magnitude masking for
        speech separation".
    """

    def __init__(self, epsilon: float = 1e-8, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create both weights."""
        shape = (input_shape[-1],)
        self.gamma = self.add_weight(shape=shape, initializer="ones", autocast=False, name="gamma")
        self.beta = self.add_weight(shape=shape, initializer="zeros", autocast=False, name="beta")

    def call(self, x: Tensor) -> Tensor:
        """Normalise `(batch, frames, ..., features)`."""
        x = keras.ops.cast(x, "float32")
        axes = tuple(range(1, len(x.shape)))
        x = x - keras.ops.mean(x, axis=axes, keepdims=True)
        variance = keras.ops.mean(keras.ops.square(x), axis=axes, keepdims=True)
        x = x / keras.ops.sqrt(variance + self.epsilon)
        gamma = keras.ops.cast(self.gamma, "float32")
        beta = keras.ops.cast(self.beta, "float32")
        return keras.ops.cast(x * gamma + beta, self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the result."""
        return input_shape
