"""Layer: from features to an embedding of each bin."""

from typing import Any

import keras

from kerasep import ops
from kerasep.layers.head import _Head
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class EmbeddingHead(_Head):
    """Dense layer that maps features to an embedding vector for each bin.

    The dense layer's `bins * channels * embedding` outputs are reshaped, in that order of axes, and
    pass through the activation. Each vector is then divided by its length, as deep clustering needs
    it. Computed in float32 under any policy.

    Args:
        bins: frequency bins of the spectrum.
        channels: number of channels of the spectrum.
        embedding: dimensions of a vector. Defaults to 20.
        activation: applied before the vectors are normalised. "sigmoid" keeps them all in one
            orthant, "tanh" and "linear" do not. "prelu" or any name in `keras.activations`.
            Defaults to "sigmoid".
        unit_norm: whether to divide the vectors by their length; deep attractor networks do not.
            Defaults to True.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, frames, features)`.

    Output shape:
        Embedding `(batch, frames, bins, channels, embedding)`.

    Raises:
        InputError: for sizes below 1, an unknown activation, or an input without three axes.

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
        self,
        bins: int,
        channels: int,
        embedding: int = 20,
        activation: str = "sigmoid",
        unit_norm: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(bins, channels, embedding, activation, **kwargs)

    def finish(self, x: Tensor) -> Tensor:
        """Divide each vector by its length."""
        return ops.unit_norm(x) if self.unit_norm else x
