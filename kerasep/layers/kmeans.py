"""Layer: embeddings to binary masks."""

import keras

from kerasep import ops
from kerasep.errors import InputError
from kerasep.system.arguments import Arguments


@keras.saving.register_keras_serializable("kerasep")
class KMeans(Arguments, keras.layers.Layer):
    """Binary masks from an embedding: k-means of its bins, weighed by the mixture's magnitude.

    Silent bins so have no say. Which mask is which source's is not known. No gradient passes: train
    the embedding with a loss of its own (`kerasep.losses.DeepClustering`), or use `SoftKMeans`.

    Args:
        sources: how many clusters, and masks.
        iterations: the most there will be. Defaults to 100.
        seed: integer that decides the start. Defaults to 0.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Call arguments:
        embedding: `(batch, frames, bins, channels, embedding)`.
        mixture: magnitude `(batch, frames, bins, channels)`.

    Output shape:
        Masks `(batch, frames, bins, channels, sources)`, one 1 for each bin.

    Raises:
        InputError: for fewer than 1 source or iteration.

    Example:
    >>> import numpy as np
    >>> embedding = np.random.randn(1, 4, 5, 2, 8).astype("float32")
    >>> tuple(KMeans(3)(embedding, np.ones((1, 4, 5, 2), "float32")).shape)
    (1, 4, 5, 2, 3)
    """

    def __init__(self, sources, iterations=100, seed=0, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        if sources < 1 or iterations < 1:
            raise InputError(
                f"received sources={sources} and iterations={iterations}, expected both above 0"
            )

    def call(self, embedding, mixture):
        """Cluster the bins of each example."""
        points = ops.as_points(embedding)
        weights = ops.as_points(mixture[..., None])[..., 0]
        labels, _ = ops.kmeans(points, self.sources, weights, self.iterations, self.seed)
        masks = keras.ops.one_hot(labels, self.sources, dtype="float32")
        return keras.ops.reshape(masks, (*keras.ops.shape(mixture), self.sources))

    def compute_output_spec(self, embedding, mixture):
        """Shape of the masks."""
        return keras.KerasTensor((*mixture.shape, self.sources), dtype="float32")
