"""Layer: from embeddings and first masks to masks by attractors."""

from typing import Any

import keras

from kerasep import ops
from kerasep.errors import InputError
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class AttractorMask(Arguments, keras.layers.Layer):
    """Compute masks from each bin's similarity to the sources' attractors: `f(V . A_i)`.

    The attractor `A_i = sum w M_i V / sum w M_i` is the mean embedding of the bins that a first
    mask `M_i` assigns to source `i`. The weight `w` is the mixture's magnitude, so silent bins do
    not count. In training the first masks are the true ones, and `kerasep.losses.DeepAttractor`
    computes the attractors itself. For separation, `KMeans` computes the first masks.

    Args:
        activation: "softmax" for masks that sum to one, or "sigmoid" for sources that overlap.
            Defaults to "softmax".
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Call arguments:
        embedding: `(batch, frames, bins, channels, embedding)`.
        mask: `(batch, frames, bins, channels, sources)`.
        mixture: magnitude `(batch, frames, bins, channels)`.

    Output shape:
        Masks `(batch, frames, bins, channels, sources)`.

    Raises:
        InputError: for an unknown activation.

    Example:
    >>> import numpy as np
    >>> embedding = np.random.randn(1, 4, 5, 2, 8).astype("float32")
    >>> mixture = np.ones((1, 4, 5, 2), "float32")
    >>> masks = AttractorMask()(embedding, np.ones((1, 4, 5, 2, 3), "float32"), mixture)
    >>> float(masks[0, 0, 0, 0, 0])
    0.3333333432674408

    Reference:
        Chen, Luo and Mesgarani 2017, "Deep attractor network for single-microphone speaker
        separation", eq. 2 and 3.
    """

    def __init__(self, activation: str = "softmax", **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        if activation not in ("softmax", "sigmoid"):
            raise InputError(f"received activation={activation!r}, expected 'softmax' or 'sigmoid'")

    def call(self, embedding: Tensor, mask: Tensor, mixture: Tensor) -> Tensor:
        """Compute the masks of each example."""
        points = ops.as_points(embedding)
        attractors = ops.centroids(points, ops.as_points(mask * mixture[..., None]))
        similarity = keras.ops.einsum("bnd,bkd->bnk", points, attractors)
        masks = keras.activations.get(self.activation)(similarity)
        return keras.ops.reshape(masks, keras.ops.shape(mask))

    def compute_output_spec(
        self, embedding: Tensor, mask: Tensor, mixture: Tensor
    ) -> keras.KerasTensor:
        """Return the shape of the masks."""
        return keras.KerasTensor(mask.shape, dtype="float32")
