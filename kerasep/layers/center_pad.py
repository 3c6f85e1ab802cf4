"""Layer: zeros on both sides of a signal, up to a length that a network can take."""

import keras

from kerasep import ops
from kerasep.errors import InputError
from kerasep.system.arguments import Arguments


@keras.saving.register_keras_serializable("kerasep")
class CenterPad(Arguments, keras.layers.Layer):
    """Pads with zeros on both sides, to `least` samples or a whole number of steps more.

    Networks of strided or decimated convolutions without padding take lengths of a fixed step
    alone, and may give back fewer samples than they take. `CenterCrop` undoes the padding.

    Args:
        step: samples from one possible length to the next.
        least: the shortest length.
        reach: samples that the network gives back of the shortest length; a step more gives a step
            more. Default: all of them.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, samples, channels)`.

    Output shape:
        `(batch, least + n * step, channels)`.

    Raises:
        InputError: for numbers below 1.

    Example:
    >>> import numpy as np
    >>> tuple(CenterPad(4096, 4096)(np.zeros((1, 5000, 2), "float32")).shape)
    (1, 8192, 2)
    """

    def __init__(self, step, least, reach=None, **kwargs):
        super().__init__(**kwargs)
        self.reach = least if reach is None else reach
        if min(step, least, self.reach) < 1:
            raise InputError(
                f"received step={step}, least={least}, reach={self.reach}, expected at least 1"
            )

    def call(self, signal):
        """Pad `(batch, samples, channels)`."""
        return ops.center_pad(signal, self.step, self.least, self.reach)

    def compute_output_shape(self, signal_shape):
        """Shape of the padded signal."""
        batch, samples, channels = signal_shape
        if samples is not None:
            samples = self.least + self.step * max(0, -((self.reach - samples) // self.step))
        return (batch, samples, channels)
