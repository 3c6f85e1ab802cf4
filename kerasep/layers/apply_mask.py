"""Layer: apply masks to the mixture."""

from typing import Any

import keras

from kerasep import ops
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class ApplyMask(Arguments, keras.layers.Layer):
    """Multiply masks with the mixture's magnitude, or its spectrum, in float32 under any policy.

    On a spectrum the sources take the mixture's phase.

    Args:
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Call arguments:
        mask: `(batch, frames, bins, channels, sources)`.
        mixture: magnitude `(batch, frames, bins, channels)`, or spectrum `(batch, frames, bins,
            channels, 2)`.

    Output shape:
        Source magnitudes `(batch, frames, bins, channels, sources)`, or source spectra `(batch,
        frames, bins, channels, sources, 2)`.

    Raises:
        InputError: if the shapes of the mask and the mixture do not match.

    Example:
    >>> import numpy as np
    >>> mask = np.full((1, 4, 5, 2, 3), 0.5, "float32")
    >>> tuple(ApplyMask()(mask, np.ones((1, 4, 5, 2), "float32")).shape)
    (1, 4, 5, 2, 3)
    >>> tuple(ApplyMask()(mask, np.ones((1, 4, 5, 2, 2), "float32")).shape)
    (1, 4, 5, 2, 3, 2)
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, mask: Tensor, mixture: Tensor) -> Tensor:
        """Multiply `(..., sources)` with `(...)` or `(..., 2)`."""
        return ops.apply_mask(mask, mixture)
