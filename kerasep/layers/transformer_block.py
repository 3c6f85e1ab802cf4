"""Layer: a transformer that attends to its own input or to another."""

from typing import Any

import keras

from kerasep.errors import InputError
from kerasep.layers.global_layer_normalization import GlobalLayerNormalization
from kerasep.layers.layer_scale import LayerScale
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor

# As of PyTorch's norms.
EPSILON = 1e-5


@keras.saving.register_keras_serializable("kerasep")
class TransformerBlock(Arguments, keras.layers.Layer):
    """Attention to the input itself or to a context, and a feed-forward network, both added.

    `y = x + scale * attention(norm(x), norm(context))`, then `norm(y + scale * forward(norm(y)))`,
    where `forward` has one hidden layer with a GELU. The last norm is over all positions and
    features, the others are over features. The scales start near zero, see `LayerScale`.

    Attention takes memory of `batch * heads * positions * context positions` numbers.

    Args:
        heads: number of attention heads, which divides the features. Defaults to 8.
        expansion: hidden features of the feed-forward network, as a multiple of the input's.
            Defaults to 4.
        dropout: rate behind attention and each dense layer of the feed-forward network. Defaults
            to 0.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Call arguments:
        x: `(batch, positions, features)`.
        context: `(batch, context positions, features)`. Defaults to `x`: self-attention. A layer
            that was built without a context has no norm for it.

    Output shape:
        The shape of `x`.

    Raises:
        InputError: for sizes below 1, a rate out of range, or features that the heads do not
            divide.

    Example:
    >>> import numpy as np
    >>> x, context = np.zeros((1, 20, 16), "float32"), np.zeros((1, 7, 16), "float32")
    >>> tuple(TransformerBlock(heads=2)(x, context).shape)
    (1, 20, 16)

    Reference:
        Rouard, Massa and Defossez 2023, "Hybrid transformers for music source separation".
    """

    def __init__(
        self, heads: int = 8, expansion: int = 4, dropout: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if min(heads, expansion) < 1 or not 0 <= dropout < 1:
            raise InputError(
                f"received heads={heads}, expansion={expansion}, dropout={dropout}, expected at "
                f"least 1 head and 1 for the expansion, and a rate from 0 to below 1"
            )

    def build(
        self,
        x_shape: tuple[int | None, ...],
        context_shape: tuple[int | None, ...] | None = None,
    ) -> None:
        """Create the layers of both parts."""
        features = x_shape[-1] or 0
        if features % self.heads:
            raise InputError(
                f"received {features} features for heads={self.heads}, expected a multiple of it"
            )
        self.crosses = context_shape is not None
        self.query_norm = self._norm("query_norm", features)
        if self.crosses:
            self.context_norm = self._norm("context_norm", features)
            self.query = self._dense("query", features, features)
            self.key_value = self._dense("key_value", features, 2 * features)
        else:
            self.query_key_value = self._dense("query_key_value", features, 3 * features)
        self.merge = self._dense("merge", features, features)
        self.attention_scale = self._scale("attention_scale", features)
        self.forward_norm = self._norm("forward_norm", features)
        self.expand = self._dense("expand", features, self.expansion * features)
        self.compress = self._dense("compress", self.expansion * features, features)
        self.forward_scale = self._scale("forward_scale", features)
        self.output_norm = GlobalLayerNormalization(
            EPSILON, name="output_norm", dtype=self.dtype_policy
        )
        self.output_norm.build((None, None, features))
        self.drop = keras.layers.Dropout(self.dropout, name="drop", dtype=self.dtype_policy)

    def _norm(self, name, features):
        norm = keras.layers.LayerNormalization(epsilon=EPSILON, name=name, dtype=self.dtype_policy)
        norm.build((None, None, features))
        return norm

    def _dense(self, name, inputs, outputs):
        dense = keras.layers.Dense(outputs, name=name, dtype=self.dtype_policy)
        dense.build((None, None, inputs))
        return dense

    def _scale(self, name, features):
        scale = LayerScale(name=name, dtype=self.dtype_policy)
        scale.build((None, None, features))
        return scale

    def call(
        self, x: Tensor, context: Tensor | None = None, training: bool | None = None
    ) -> Tensor:
        """Run over positions of `(batch, positions, features)`."""
        y = self.merge(self._attention(x, context))
        x = x + self.attention_scale(self.drop(y, training=training))
        y = keras.activations.gelu(self.expand(self.forward_norm(x)), approximate=False)
        y = self.compress(self.drop(y, training=training))
        return self.output_norm(x + self.forward_scale(self.drop(y, training=training)))

    def _attention(self, x, context):
        normalised = self.query_norm(x)
        if self.crosses:
            query = self.query(normalised)
            key_value = self.key_value(self.context_norm(context))
            key, value = keras.ops.split(key_value, 2, axis=-1)
        else:
            query, key, value = keras.ops.split(self.query_key_value(normalised), 3, axis=-1)
        y = keras.ops.dot_product_attention(*map(self._by_head, (query, key, value)))
        return keras.ops.reshape(y, keras.ops.shape(x))

    def _by_head(self, x):
        batch, positions, features = keras.ops.shape(x)
        heads = (batch, positions, self.heads, features // self.heads)
        return keras.ops.reshape(x, heads)

    def compute_output_shape(
        self,
        x_shape: tuple[int | None, ...],
        context_shape: tuple[int | None, ...] | None = None,
    ) -> tuple[int | None, ...]:
        """Return the shape of the input."""
        return x_shape
