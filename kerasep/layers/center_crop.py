"""Layer: the middle of a signal, as long as another."""

import keras

from kerasep import ops
from kerasep.system.arguments import Arguments


@keras.saving.register_keras_serializable("kerasep")
class CenterCrop(Arguments, keras.layers.Layer):
    """Cuts a signal on both sides to the length of another; the end loses one more where it is odd.

    Args:
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Call arguments:
        signal: `(batch, samples, ...)`.
        like: `(batch, fewer samples, ...)`.

    Output shape:
        `(batch, fewer samples, ...)`.

    Raises:
        InputError: where `like` is longer.

    Example:
    >>> import numpy as np
    >>> tuple(CenterCrop()(np.zeros((1, 100, 3)), np.zeros((1, 91, 2))).shape)
    (1, 91, 3)
    """

    def call(self, signal, like):
        """Cut `(batch, samples, ...)`."""
        return ops.center_crop(signal, like)

    def compute_output_shape(self, signal_shape, like_shape):
        """Shape of the middle."""
        return (signal_shape[0], like_shape[1], *signal_shape[2:])
