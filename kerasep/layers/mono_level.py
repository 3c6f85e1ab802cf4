"""Layer: what a waveform is normalised by."""

import keras

from kerasep import ops
from kerasep.system.arguments import Arguments


@keras.saving.register_keras_serializable("kerasep")
class MonoLevel(Arguments, keras.layers.Layer):
    """Mean and unbiased standard deviation of a waveform's mono form, in float32 under any policy.

    Args:
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        Waveform `(batch, samples, channels)`.

    Output shape:
        Mean and deviation, each `(batch, 1, 1)`.

    Example:
    >>> import numpy as np
    >>> waveform = 0.1 * np.random.randn(1, 5000, 2).astype("float32")
    >>> mean, deviation = MonoLevel()(waveform)
    >>> normalised = keras.ops.subtract(waveform, mean) / (deviation + 1e-5)
    """

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, waveform):
        """Measure `(batch, samples, channels)`."""
        return ops.mono_level(waveform)

    def compute_output_shape(self, waveform_shape):
        """Shapes of mean and deviation."""
        return (waveform_shape[0], 1, 1), (waveform_shape[0], 1, 1)
