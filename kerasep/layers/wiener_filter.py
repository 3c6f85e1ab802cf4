"""Layer: from source magnitudes to source spectra."""

from typing import Any

import keras

from kerasep import ops
from kerasep.errors import InputError
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class WienerFilter(Arguments, keras.layers.Layer):
    """Compute source spectra with the mixture's phase, or by a multichannel Wiener filter.

    Args:
        iterations: steps of expectation maximisation; 0 uses the mixture's phase. Defaults to 0.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Call arguments:
        spectrum: mixture `(batch, frames, bins, channels, 2)`.
        source_magnitudes: `(batch, frames, bins, channels, sources)`.

    Output shape:
        Source spectra `(batch, frames, bins, channels, sources, 2)`.

    Raises:
        InputError: for fewer than 0 iterations.

    Example:
    >>> import numpy as np
    >>> x, m = np.ones((1, 4, 5, 2, 2), "float32"), np.ones((1, 4, 5, 2, 3), "float32")
    >>> tuple(WienerFilter(iterations=1)(x, m).shape)
    (1, 4, 5, 2, 3, 2)
    """

    def __init__(self, iterations: int = 0, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        if iterations < 0:
            raise InputError(f"received iterations={iterations}, expected 0 or more")

    def call(self, spectrum: Tensor, source_magnitudes: Tensor) -> Tensor:
        """Filter the mixture once for each source."""
        return ops.wiener(spectrum, source_magnitudes, self.iterations)

    def compute_output_spec(self, spectrum: Tensor, source_magnitudes: Tensor) -> keras.KerasTensor:
        """Return the shape of the source spectra."""
        return keras.KerasTensor((*source_magnitudes.shape, 2), dtype="float32")
