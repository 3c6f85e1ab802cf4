"""Layer: crop a signal to the length of another."""

import keras

from kerasep import ops
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class CenterCrop(Arguments, keras.layers.Layer):
    """Crop a signal on both sides to the length of another. The end loses an odd sample.

    Args:
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Call arguments:
        signal: `(batch, samples, ...)`.
        like: `(batch, fewer samples, ...)`.

    Output shape:
        `(batch, fewer samples, ...)`.

    Raises:
        InputError: if `like` is longer than the signal.

    Example:
    >>> import numpy as np
    >>> tuple(CenterCrop()(np.zeros((1, 100, 3)), np.zeros((1, 91, 2))).shape)
    (1, 91, 3)
    """

    def call(self, signal: Tensor, like: Tensor) -> Tensor:
        """Crop `(batch, samples, ...)`."""
        return ops.center_crop(signal, like)

    def compute_output_shape(
        self, signal_shape: tuple[int | None, ...], like_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        """Return the shape of the cropped signal."""
        return (signal_shape[0], like_shape[1], *signal_shape[2:])
