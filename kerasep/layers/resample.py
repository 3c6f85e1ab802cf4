"""Layer: another sample rate."""

import keras

from kerasep import ops
from kerasep.system.arguments import Arguments


@keras.saving.register_keras_serializable("kerasep")
class Resample(Arguments, keras.layers.Layer):
    """Changes the sample rate by fixed windowed sinc filters, in float32 under any policy.

    Args:
        old: sample rate of the input; with `new` in lowest terms, as 1 and 2 to double it.
        new: sample rate of the output.
        zeros: zero crossings of each filter on each side. Defaults to 24.
        rolloff: pass band as a share of what the lower rate allows of. Defaults to 0.945.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, samples, channels)`.

    Output shape:
        `(batch, samples * new // old, channels)`.

    Raises:
        InputError: for numbers out of range.

    Example:
    >>> import numpy as np
    >>> tuple(Resample(1, 2)(np.zeros((1, 100, 2), "float32")).shape)
    (1, 200, 2)

    Reference:
        Smith 1984, "A flexible sampling-rate conversion method", ICASSP.
    """

    def __init__(self, old, new, zeros=24, rolloff=0.945, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        ops.resampling_filters(old, new, zeros, rolloff)

    def call(self, signal):
        """Resample `(batch, samples, channels)`."""
        return ops.resample(signal, self.old, self.new, self.zeros, self.rolloff)

    def compute_output_shape(self, signal_shape):
        """Shape of the result."""
        batch, samples, channels = signal_shape
        if samples is not None:
            samples = ops.resampled_length(samples, self.old, self.new)
        return (batch, samples, channels)
