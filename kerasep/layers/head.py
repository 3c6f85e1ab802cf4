"""Base class of the mask head and the embedding head."""

from typing import Any

import keras

from kerasep.errors import InputError
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


class _Head(Arguments, keras.layers.Layer):
    """Dense layer to `depth` values per bin and channel, and an activation in float32."""

    def __init__(
        self, bins: int, channels: int, depth: int, activation: str, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if min(bins, channels, depth) < 1:
            raise InputError(
                f"received bins={bins}, channels={channels} and {depth} values per bin, expected "
                f"at least one of each"
            )
        self.dense = keras.layers.Dense(
            bins * channels * depth, dtype=self.dtype_policy, name="dense"
        )
        self.activate = _activation(activation)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the dense layer, and the activation if it has a weight."""
        if len(input_shape) != 3:
            raise InputError(
                f"received an input of shape {tuple(input_shape)}, expected (batch, frames, "
                f"features)"
            )
        self.dense.build(input_shape)
        if isinstance(self.activate, keras.layers.Layer):
            self.activate.build((*input_shape[:2], self.bins * self.channels, self.depth))

    def call(self, x: Tensor) -> Tensor:
        """Compute `(batch, frames, bins, channels, depth)` from `(batch, frames, features)`."""
        x = keras.ops.cast(self.dense(x), "float32")
        batch, frames, _ = keras.ops.shape(x)
        # Not with all its axes yet: TFLite's softmax takes four.
        x = keras.ops.reshape(x, (batch, frames, self.bins * self.channels, self.depth))
        x = self.finish(self.activate(x))
        return keras.ops.reshape(x, (batch, frames, self.bins, self.channels, self.depth))

    def finish(self, x: Tensor) -> Tensor:
        """Change the activated values `(batch, frames, bins * channels, depth)`."""
        return x

    def compute_output_spec(self, x: Tensor) -> keras.KerasTensor:
        """Return the shape of the result."""
        shape = (*x.shape[:2], self.bins, self.channels, self.depth)
        return keras.KerasTensor(shape, dtype="float32")


def _activation(name):
    """Return a function, or a layer with a weight, by its name."""
    if name == "prelu":
        # One slope for all, as in the models that use it: sources stay interchangeable.
        return keras.layers.PReLU(
            keras.initializers.Constant(0.25), shared_axes=(1, 2, 3), dtype="float32", name="prelu"
        )
    try:
        return keras.activations.get(name)
    except ValueError as error:
        raise InputError(
            f"received activation={name!r}, expected prelu or the name of one of "
            f"keras.activations: sigmoid, tanh, relu, leaky_relu, softmax, linear, ..."
        ) from error
