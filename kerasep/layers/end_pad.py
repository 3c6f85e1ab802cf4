"""Layer: pad a signal at its end to a length that a network accepts."""

from typing import Any

import keras

from kerasep import ops
from kerasep.errors import InputError
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class EndPad(Arguments, keras.layers.Layer):
    """Pad with zeros at the end, to `least` samples plus a whole number of steps.

    Unlike with `CenterPad`, every sample keeps its place in the frames of a transform.

    Args:
        step: samples between two accepted lengths.
        least: the shortest accepted length.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, samples, channels)`.

    Output shape:
        `(batch, least + n * step, channels)`.

    Raises:
        InputError: for numbers below 1.

    Example:
    >>> import numpy as np
    >>> tuple(EndPad(2048, 1024)(np.zeros((1, 5000, 2), "float32")).shape)
    (1, 5120, 2)
    """

    def __init__(self, step: int, least: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if min(step, least) < 1:
            raise InputError(f"received step={step}, least={least}, expected at least 1")

    def call(self, signal: Tensor) -> Tensor:
        """Pad `(batch, samples, channels)`."""
        return ops.end_pad(signal, self.step, self.least)

    def compute_output_shape(self, signal_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the padded signal."""
        batch, samples, channels = signal_shape
        if samples is not None:
            samples = self.least + self.step * max(0, -((self.least - samples) // self.step))
        return (batch, samples, channels)
