"""Layer: from soft masks or source magnitudes to binary masks."""

from typing import Any

import keras

from kerasep import ops
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class BinaryMask(Arguments, keras.layers.Layer):
    """Convert masks to zeros and ones. For separation only: gradients do not pass.

    Args:
        threshold: a mask is 1 in the bins whose value is above it. None assigns each bin to its
            loudest source alone, so that the masks sum to one. Defaults to None.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        Masks or source magnitudes `(batch, frames, bins, channels, sources)`.

    Output shape:
        Same as the input, in float32 under any policy.

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

    def __init__(self, threshold: float | None = None, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, values: Tensor) -> Tensor:
        """Compute the binary masks of `(..., sources)`."""
        return ops.binary_mask(values, self.threshold)
