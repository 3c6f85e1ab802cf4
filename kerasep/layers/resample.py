"""Layer: change the sample rate."""

from typing import Any

import keras

from kerasep import ops
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class Resample(Arguments, keras.layers.Layer):
    """Change the sample rate by fixed windowed sinc filters, in float32 under any policy.

    Args:
        old: sample rate of the input. In lowest terms with `new`: 1 and 2 double the rate.
        new: sample rate of the output.
        zeros: zero crossings on each side of a filter. Defaults to 24.
        rolloff: pass band as a fraction of the lower Nyquist frequency. Defaults to 0.945.
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

    def __init__(
        self, old: int, new: int, zeros: int = 24, rolloff: float = 0.945, **kwargs: Any
    ) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        ops.resampling_filters(old, new, zeros, rolloff)

    def call(self, signal: Tensor) -> Tensor:
        """Resample `(batch, samples, channels)`."""
        return ops.resample(signal, self.old, self.new, self.zeros, self.rolloff)

    def compute_output_shape(self, signal_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the result."""
        batch, samples, channels = signal_shape
        if samples is not None:
            samples = ops.resampled_length(samples, self.old, self.new)
        return (batch, samples, channels)
