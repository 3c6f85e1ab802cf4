"""Layer: features to an embedding of each bin."""

import keras

from kerasep import ops
from kerasep.layers.head import _Head


@keras.saving.register_keras_serializable("kerasep")
class EmbeddingHead(_Head):
    """Fully connected layer that gives every bin a vector, for deep clustering of length one.

    The dense layer's `bins * channels * embedding` outputs are reshaped, in that order of axes,
    pass through the activation, and are divided by their length, in float32 under any policy.

    Args:
        bins: frequency bins of the spectrum.
        channels: of the spectrum.
        embedding: dimensions of a vector. Defaults to 20.
        activation: before the vectors are normalised; "sigmoid" keeps them all in one orthant,
            "tanh" or "linear" do not; "prelu" or any name of `keras.activations`. Defaults to
            "sigmoid".
        unit_norm: False leaves the vectors at the length they have, as deep attractor networks do.
            Defaults to True.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, frames, features)`.

    Output shape:
        Embedding `(batch, frames, bins, channels, embedding)`.

    Raises:
        InputError: for sizes below 1, an unknown activation, or an input with more or fewer axes.

    Example:
    >>> import numpy as np
    >>> vectors = EmbeddingHead(129, channels=1)(np.random.randn(1, 7, 30).astype("float32"))
    >>> tuple(vectors.shape)
    (1, 7, 129, 1, 20)
    >>> lengths = keras.ops.norm(vectors, axis=-1)
    >>> bool(keras.ops.max(keras.ops.abs(lengths - 1)) < 1e-5)
    True

    Reference:
        Hershey et al. 2016, "Deep clustering: discriminative embeddings for segmentation and
        separation"; sigmoid: Wang, Le Roux and Hershey 2018, "Alternative objective functions for
        deep clustering".
    """

    def __init__(
        self, bins, channels, embedding=20, activation="sigmoid", unit_norm=True, **kwargs
    ):
        super().__init__(bins, channels, embedding, activation, **kwargs)

    def finish(self, x):
        """Divide each vector by its length."""
        return ops.unit_norm(x) if self.unit_norm else x
