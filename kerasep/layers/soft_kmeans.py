"""Layer: from embeddings to soft masks, with gradients."""

from typing import Any

import keras

from kerasep import ops
from kerasep.errors import InputError
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class SoftKMeans(Arguments, keras.layers.Layer):
    """Compute masks from an embedding by soft k-means, weighted by the mixture's magnitude.

    The iterations are unrolled and gradients pass, so a network can be trained through the
    clustering, with a loss of masked magnitudes in `kerasep.losses.PermutationInvariant`. Silent
    bins do not count.

    Args:
        sources: number of clusters and masks.
        sharpness: larger values give harder masks; 5 suits embeddings of unit norm. Defaults to 5.
        iterations: number of iterations. Defaults to 10.
        seed: integer that determines the initial centroids. Defaults to 0.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Call arguments:
        embedding: `(batch, frames, bins, channels, embedding)`.
        mixture: magnitude `(batch, frames, bins, channels)`.

    Output shape:
        Masks `(batch, frames, bins, channels, sources)` that sum to 1 over the sources.

    Raises:
        InputError: for fewer than 1 source or iteration, or a sharpness that is not positive.

    Example:
    >>> import numpy as np
    >>> embedding = np.random.randn(1, 4, 5, 2, 8).astype("float32")
    >>> tuple(SoftKMeans(3)(embedding, np.ones((1, 4, 5, 2), "float32")).shape)
    (1, 4, 5, 2, 3)

    Reference:
        Isik et al. 2016, "Single-channel multi-speaker separation using deep clustering", section
        2.4.
    """

    def __init__(
        self,
        sources: int,
        sharpness: float = 5.0,
        iterations: int = 10,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        if sources < 1 or iterations < 1 or sharpness <= 0:
            raise InputError(
                f"received sources={sources}, sharpness={sharpness} and iterations={iterations}, "
                f"expected all above 0"
            )

    def call(self, embedding: Tensor, mixture: Tensor) -> Tensor:
        """Cluster the bins of each example."""
        points = ops.as_points(embedding)
        weights = ops.as_points(mixture[..., None])[..., 0]
        settings = self.sharpness, self.iterations, self.seed
        masks, _ = ops.soft_kmeans(points, self.sources, weights, *settings)
        return keras.ops.reshape(masks, (*keras.ops.shape(mixture), self.sources))

    def compute_output_spec(self, embedding: Tensor, mixture: Tensor) -> keras.KerasTensor:
        """Return the shape of the masks."""
        return keras.KerasTensor((*mixture.shape, self.sources), dtype="float32")
