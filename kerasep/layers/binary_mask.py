"""Layer: soft masks or source magnitudes to binary masks."""

import keras

from kerasep import ops
from kerasep.system.arguments import Arguments


@keras.saving.register_keras_serializable("kerasep")
class BinaryMask(Arguments, keras.layers.Layer):
    """Masks of zeros and ones; for separating, not for training: no gradient passes.

    Args:
        threshold: each source has the bins where its value is above it; None gives each bin to its
            loudest source alone, so that the masks sum to one. Defaults to None.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        Masks or source magnitudes `(batch, frames, bins, channels, sources)`.

    Output shape:
        The input's, in float32 under any policy.

    Example:
    >>> import numpy as np
    >>> values = np.array([0.2, 0.7, 0.6], "float32").reshape(1, 1, 1, 1, 3)
    >>> np.asarray(BinaryMask()(values)).ravel().tolist()
    [0.0, 1.0, 0.0]
    >>> np.asarray(BinaryMask(threshold=0.5)(values)).ravel().tolist()
    [0.0, 1.0, 1.0]

    Reference:
        Wang 2005, "On ideal binary mask as the computational goal of auditory scene analysis".
    """

    def __init__(self, threshold=None, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, values):
        """Binary masks of `(..., sources)`."""
        return ops.binary_mask(values, self.threshold)
