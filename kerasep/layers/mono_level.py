"""Layer: mean and deviation for normalising a waveform."""

from typing import Any

import keras

from kerasep import ops
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class MonoLevel(Arguments, keras.layers.Layer):
    """Compute mean and unbiased standard deviation of the mono waveform, in float32.

    Args:
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        Waveform `(batch, samples, channels)`.

    Output shape:
        Mean and deviation, each `(batch, 1, 1)`, in float32 under any policy.

    Example:
    >>> import numpy as np
    >>> waveform = 0.1 * np.random.randn(1, 5000, 2).astype("float32")
    >>> mean, deviation = MonoLevel()(waveform)
    >>> normalised = keras.ops.subtract(waveform, mean) / (deviation + 1e-5)
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, waveform: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the mean and deviation of `(batch, samples, channels)`."""
        return ops.mono_level(waveform)

    def compute_output_shape(
        self, waveform_shape: tuple[int | None, ...]
    ) -> tuple[tuple[int | None, ...], tuple[int | None, ...]]:
        """Return the shapes of mean and deviation."""
        return (waveform_shape[0], 1, 1), (waveform_shape[0], 1, 1)
