"""Layer: from embeddings to binary masks."""

from typing import Any

import keras

from kerasep import ops
from kerasep.errors import InputError
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class KMeans(Arguments, keras.layers.Layer):
    """Compute binary masks from an embedding by k-means, weighted by the mixture's magnitude.

    Silent bins do not count. The order of the masks is arbitrary. Gradients do not pass: train the
    embedding with its own loss (`kerasep.losses.DeepClustering`), or use `SoftKMeans`.

    Args:
        sources: number of clusters and masks.
        iterations: maximum number of iterations. Defaults to 100.
        seed: integer that determines the initial centroids. Defaults to 0.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Call arguments:
        embedding: `(batch, frames, bins, channels, embedding)`.
        mixture: magnitude `(batch, frames, bins, channels)`.

    Output shape:
        Masks `(batch, frames, bins, channels, sources)`: a single 1 per bin.

    Raises:
        InputError: for fewer than 1 source or iteration.

    Example:
    >>> import numpy as np
    >>> embedding = np.random.randn(1, 4, 5, 2, 8).astype("float32")
    >>> tuple(KMeans(3)(embedding, np.ones((1, 4, 5, 2), "float32")).shape)
    (1, 4, 5, 2, 3)
    """

    def __init__(self, sources: int, iterations: int = 100, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        if sources < 1 or iterations < 1:
            raise InputError(
                f"received sources={sources} and iterations={iterations}, expected both above 0"
            )

    def call(self, embedding: Tensor, mixture: Tensor) -> Tensor:
        """Cluster the bins of each example."""
        points = ops.as_points(embedding)
        weights = ops.as_points(mixture[..., None])[..., 0]
        labels, _ = ops.kmeans(points, self.sources, weights, self.iterations, self.seed)
        masks = keras.ops.one_hot(labels, self.sources, dtype="float32")
        return keras.ops.reshape(masks, (*keras.ops.shape(mixture), self.sources))

    def compute_output_spec(self, embedding: Tensor, mixture: Tensor) -> keras.KerasTensor:
        """Return the shape of the masks."""
        return keras.KerasTensor((*mixture.shape, self.sources), dtype="float32")
