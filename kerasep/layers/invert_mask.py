"""Layer: what a mask leaves of the mixture."""

import keras

from kerasep import ops
from kerasep.system.arguments import Arguments


@keras.saving.register_keras_serializable("kerasep")
class InvertMask(Arguments, keras.layers.Layer):
    """The mask of the rest, `1 - M`, in float32 under any policy.

    Where M is the vocals' mask, the accompaniment's.

    Args:
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        Masks of any shape, `(batch, frames, bins, channels, sources)` as a rule.

    Output shape:
        The input's.

    Example:
    >>> import numpy as np
    >>> float(InvertMask()(np.full((1, 4, 5, 2, 1), 0.25))[0, 0, 0, 0, 0])
    0.75
    """

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, mask):
        """Invert a mask."""
        return ops.invert_mask(mask)
