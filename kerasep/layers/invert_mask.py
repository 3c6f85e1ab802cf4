"""Layer: the complement of a mask."""

from typing import Any

import keras

from kerasep import ops
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class InvertMask(Arguments, keras.layers.Layer):
    """Compute the complement of a mask, `1 - M`, in float32 under any policy.

    If M is the mask of the vocals, this is the mask of the accompaniment.

    Args:
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        Masks of any shape, usually `(batch, frames, bins, channels, sources)`.

    Output shape:
        Same as the input.

    Example:
    >>> import numpy as np
    >>> float(InvertMask()(np.full((1, 4, 5, 2, 1), 0.25))[0, 0, 0, 0, 0])
    0.75
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, mask: Tensor) -> Tensor:
        """Invert a mask."""
        return ops.invert_mask(mask)
