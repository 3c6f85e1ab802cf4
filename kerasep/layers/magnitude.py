"""Layer: from spectrum to magnitude."""

from typing import Any

import keras

from kerasep import ops
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class Magnitude(Arguments, keras.layers.Layer):
    """Compute the magnitude of a spectrum, in float32 under any policy.

    Args:
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        Spectrum `(batch, frames, bins, channels, 2)`.

    Output shape:
        Magnitude `(batch, frames, bins, channels)`.

    Example:
    >>> import numpy as np
    >>> tuple(Magnitude()(np.zeros((1, 4, 5, 2, 2), "float32")).shape)
    (1, 4, 5, 2)
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, spectrum: Tensor) -> Tensor:
        """Compute the magnitude of `(..., 2)`."""
        return ops.magnitude(spectrum)
