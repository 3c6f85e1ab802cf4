"""Layer: pad a signal on both sides to a length that a network accepts."""

from typing import Any

import keras

from kerasep import ops
from kerasep.errors import InputError
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class CenterPad(Arguments, keras.layers.Layer):
    """Pad with zeros on both sides, to `least` samples plus a whole number of steps.

    Networks of strided or decimated convolutions without padding accept only lengths in fixed
    steps, and may return fewer samples than they take. `CenterCrop` undoes the padding.

    Args:
        step: samples between two accepted lengths.
        least: the shortest accepted length.
        reach: samples that the network returns for the shortest length. Longer inputs return as
            many more. Defaults to `least`.
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

    def __init__(self, step: int, least: int, reach: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.reach = least if reach is None else reach
        if min(step, least, self.reach) < 1:
            raise InputError(
                f"received step={step}, least={least}, reach={self.reach}, expected at least 1"
            )

    def call(self, signal: Tensor) -> Tensor:
        """Pad `(batch, samples, channels)`."""
        return ops.center_pad(signal, self.step, self.least, self.reach)

    def compute_output_shape(self, signal_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the padded signal."""
        batch, samples, channels = signal_shape
        if samples is not None:
            samples = self.least + self.step * max(0, -((self.reach - samples) // self.step))
        return (batch, samples, channels)
