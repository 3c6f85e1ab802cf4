"""Layer: move sources from the batch axis to their own axis."""

from typing import Any

import keras
from keras import ops

from kerasep.errors import InputError
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class UnfoldSources(Arguments, keras.layers.Layer):
    """Move sources that are next to each other in the batch to the last axis.

    A network for one source at a time processes all sources at once if `keras.ops.repeat` puts each
    example into the batch once per source. This layer undoes the repetition.

    Args:
        count: number of sources.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch * count, frames, bins, channels)`, the sources of an example next to each other.

    Output shape:
        `(batch, frames, bins, channels, count)`.

    Raises:
        InputError: for fewer than 1 source, or a batch that is not a multiple of `count`.

    Example:
    >>> import numpy as np
    >>> tuple(UnfoldSources(3)(np.zeros((6, 10, 65, 2), "float32")).shape)
    (2, 10, 65, 2, 3)
    """

    def __init__(self, count: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if count < 1:
            raise InputError(f"received count={count}, expected 1 or more sources")

    def call(self, x: Tensor) -> Tensor:
        """Unfold `(batch * count, frames, bins, channels)`."""
        _, frames, bins, _ = ops.shape(x)
        x = ops.reshape(x, (-1, self.count, frames, bins, x.shape[-1]))
        return ops.transpose(x, (0, 2, 3, 4, 1))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the result."""
        batch, *rest = input_shape
        if batch is not None and batch % self.count:
            raise InputError(
                f"received a batch of {batch}, expected a multiple of {self.count} sources"
            )
        return (None if batch is None else batch // self.count, *rest, self.count)
