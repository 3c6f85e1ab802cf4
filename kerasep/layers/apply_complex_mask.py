"""Layer: the product of a complex mask and a spectrum."""

from typing import Any

import keras
from keras import ops

from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class ApplyComplexMask(Arguments, keras.layers.Layer):
    """Multiply a spectrum by a complex mask, which changes level and phase. Always in float32.

    Args:
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Call arguments:
        masks: `(batch, frames, bins, channels, 2)`, its real and imaginary part last.
        spectrum: the mixture's, of the same shape.

    Output shape:
        Spectrum of the same shape.

    Example:
    >>> import numpy as np
    >>> spectrum = np.array([3.0, 4.0], "float32").reshape(1, 1, 1, 1, 2)
    >>> turn = np.array([0.0, 1.0], "float32").reshape(1, 1, 1, 1, 2)
    >>> np.asarray(ApplyComplexMask()(turn, spectrum)).ravel().tolist()
    [-4.0, 3.0]

    Reference:
        Williamson, Wang and Wang 2016, "Complex ratio masking for monaural speech separation".
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, masks: Tensor, spectrum: Tensor) -> Tensor:
        """Return the product, `(batch, frames, bins, channels, 2)`."""
        turned = ops.concatenate([-spectrum[..., 1:], spectrum[..., :1]], axis=-1)
        return masks[..., :1] * spectrum + masks[..., 1:] * turned

    def compute_output_shape(
        self, masks_shape: tuple[int | None, ...], spectrum_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        """Return the shape of the result."""
        return spectrum_shape
