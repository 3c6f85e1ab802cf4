"""What the mask head and the embedding head share."""

import keras

from kerasep.errors import InputError
from kerasep.system.arguments import Arguments


class _Head(Arguments, keras.layers.Layer):
    """Dense layer to `depth` values per bin and channel, and an activation in float32."""

    def __init__(self, bins, channels, depth, activation, **kwargs):
        super().__init__(**kwargs)
        if min(bins, channels, depth) < 1:
            raise InputError(
                f"received bins={bins}, channels={channels} and {depth} values a bin, expected at "
                f"least one of each"
            )
        self.dense = keras.layers.Dense(
            bins * channels * depth, dtype=self.dtype_policy, name="dense"
        )
        self.activate = _activation(activation)

    def build(self, input_shape):
        """Build the dense layer, and the activation where it has a weight."""
        if len(input_shape) != 3:
            raise InputError(
                f"received an input of shape {tuple(input_shape)}, expected (batch, frames, "
                f"features)"
            )
        self.dense.build(input_shape)
        if isinstance(self.activate, keras.layers.Layer):
            self.activate.build((*input_shape[:2], self.bins * self.channels, self.depth))

    def call(self, x):
        """Values `(batch, frames, bins, channels, depth)` of `(batch, frames, features)`."""
        x = keras.ops.cast(self.dense(x), "float32")
        batch, frames, _ = keras.ops.shape(x)
        # Not yet with all its axes: TFLite's softmax takes four.
        x = keras.ops.reshape(x, (batch, frames, self.bins * self.channels, self.depth))
        x = self.finish(self.activate(x))
        return keras.ops.reshape(x, (batch, frames, self.bins, self.channels, self.depth))

    def finish(self, x):
        """Change the activated values `(batch, frames, bins * channels, depth)`."""
        return x

    def compute_output_spec(self, x):
        """Shape of the result."""
        shape = (*x.shape[:2], self.bins, self.channels, self.depth)
        return keras.KerasTensor(shape, dtype="float32")


def _activation(name):
    """Return a function, or a layer with a weight, by its name."""
    if name == "prelu":
        # One slope for all, as in the models that use it, so that sources stay interchangeable.
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
