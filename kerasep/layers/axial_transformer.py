"""Layer: a transformer along frames or along bands."""

from typing import Any

import keras

from kerasep.errors import InputError
from kerasep.layers.rotary_positions import RotaryPositions
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor

# Added to the mean square. Nothing that is not silence is affected.
EPSILON = 1e-24


@keras.saving.register_keras_serializable("kerasep")
class AxialTransformer(Arguments, keras.layers.Layer):
    """Attention and a feed-forward network along one of two axes: a RoFormer block.

    Each part normalises its input by its root mean square and is added to it. Queries and keys are
    rotated by their positions, and each head is multiplied by a gate between 0 and 1. The
    feed-forward network has one hidden layer with a GELU.

    A layer along frames and one along bands see everything together. Attention takes memory of
    `batch * rows * heads * positions ** 2` numbers, where `rows` is the length of the other axis.

    Args:
        axis: 1 for attention along frames, 2 along bands. Defaults to 1.
        heads: number of attention heads. Defaults to 8.
        head_features: features of a query, key or value; an even number. Defaults to 64.
        expansion: hidden features of the feed-forward network, as a multiple of the input's.
            Defaults to 4.
        output_norm: whether the output is normalised too. Defaults to False.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, frames, bands, features)`.

    Output shape:
        The same.

    Raises:
        InputError: for another axis, sizes below 1, or an odd number of features of a head.

    Example:
    >>> import numpy as np
    >>> layer = AxialTransformer(axis=2, heads=2, head_features=8)
    >>> tuple(layer(np.zeros((1, 20, 7, 16), "float32")).shape)
    (1, 20, 7, 16)

    Reference:
        Lu et al. 2023, "Music source separation with band-split RoPE transformer".
    """

    def __init__(
        self,
        axis: int = 1,
        heads: int = 8,
        head_features: int = 64,
        expansion: int = 4,
        output_norm: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if axis not in (1, 2):
            raise InputError(f"received axis={axis}, expected 1 for frames or 2 for bands")
        if min(heads, head_features, expansion) < 1 or head_features % 2:
            raise InputError(
                f"received heads={heads}, head_features={head_features}, expansion={expansion}, "
                f"expected at least 1 of each, and an even number of features"
            )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the layers of both parts."""
        features = input_shape[-1]
        width = self.heads * self.head_features
        self.attention_norm = self._norm("attention_norm", features)
        self.query_key_value = self._dense("query_key_value", features, 3 * width, use_bias=False)
        self.rotary = RotaryPositions(name="rotary", dtype=self.dtype_policy)
        self.rotary.build((None, None, self.heads, self.head_features))
        self.gates = self._dense("gates", features, self.heads, activation="sigmoid")
        self.merge = self._dense("merge", width, features, use_bias=False)
        self.forward_norm = self._norm("forward_norm", features)
        hidden = self.expansion * features
        self.expand = self._dense("expand", features, hidden, activation=_gelu)
        self.compress = self._dense("compress", hidden, features)
        if self.output_norm:
            self.final_norm = self._norm("final_norm", features)

    def _norm(self, name, features):
        norm = keras.layers.RMSNormalization(epsilon=EPSILON, name=name, dtype="float32")
        norm.build((None, features))
        return norm

    def _dense(self, name, inputs, outputs, **kwargs):
        dense = keras.layers.Dense(outputs, name=name, dtype=self.dtype_policy, **kwargs)
        dense.build((None, None, inputs))
        return dense

    def call(self, x: Tensor) -> Tensor:
        """Run along one axis of `(batch, frames, bands, features)`."""
        if self.axis == 1:
            x = keras.ops.transpose(x, (0, 2, 1, 3))
        batch, rows, positions, features = keras.ops.shape(x)
        x = keras.ops.reshape(x, (batch * rows, positions, features))
        x = x + self._attention(x)
        x = x + self.compress(self.expand(self._normalised(self.forward_norm, x)))
        if self.output_norm:
            x = self._normalised(self.final_norm, x)
        x = keras.ops.reshape(x, (batch, rows, positions, features))
        return keras.ops.transpose(x, (0, 2, 1, 3)) if self.axis == 1 else x

    def _attention(self, x):
        rows, positions, _ = keras.ops.shape(x)
        x = self._normalised(self.attention_norm, x)
        heads = (rows, positions, self.heads, self.head_features)
        query, key, value = (
            keras.ops.reshape(part, heads)
            for part in keras.ops.split(self.query_key_value(x), 3, axis=-1)
        )
        y = keras.ops.dot_product_attention(self.rotary(query), self.rotary(key), value)
        y = y * keras.ops.reshape(self.gates(x), (rows, positions, self.heads, 1))
        return self.merge(keras.ops.reshape(y, (rows, positions, -1)))

    def _normalised(self, norm, x):
        return keras.ops.cast(norm(x), self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the input."""
        return input_shape


def _gelu(x):
    return keras.activations.gelu(x, approximate=False)
