"""Layer: pad a signal for frames or strided convolutions that cover all of it."""

from typing import Any

import keras

from kerasep.errors import InputError
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor

_MODES = ("constant", "reflect")


@keras.saving.register_keras_serializable("kerasep")
class StepPad(Arguments, keras.layers.Layer):
    """Pad both ends by a margin, and the end further up to a whole number of steps.

    A window of `2 * margin + step` samples that moves by `step` then stops at `ceil(samples /
    step)` places, however long the signal is. `Crop` undoes the padding.

    Args:
        step: samples from one place of the window to the next.
        margin: samples added to both ends. Defaults to 0.
        mode: "constant" for zeros; "reflect" to mirror the signal at its ends, which must be longer
            than the padding. Defaults to "constant".
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, samples, channels)`.

    Output shape:
        `(batch, 2 * margin + n * step, channels)` with `n = ceil(samples / step)`.

    Raises:
        InputError: for a step below 1, a margin below 0, or another mode.

    Example:
    >>> import numpy as np
    >>> padded = StepPad(4, 2, "reflect")(np.arange(7.0, dtype="float32").reshape(1, 7, 1))
    >>> np.asarray(padded).ravel().tolist()
    [2.0, 1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 5.0, 4.0, 3.0]
    """

    def __init__(self, step: int, margin: int = 0, mode: str = "constant", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if step < 1 or margin < 0 or mode not in _MODES:
            raise InputError(
                f"received step={step}, margin={margin}, mode={mode!r}, expected a step of at "
                f"least 1, a margin of at least 0, and one of {', '.join(_MODES)}"
            )

    def call(self, signal: Tensor) -> Tensor:
        """Pad `(batch, samples, channels)`."""
        # PyTorch mirrors the last axis alone.
        rows = keras.ops.transpose(signal, (0, 2, 1))
        missing = -keras.ops.shape(signal)[1] % self.step
        pads = [[0, 0], [0, 0], [self.margin, self.margin + missing]]
        return keras.ops.transpose(keras.ops.pad(rows, pads, mode=self.mode), (0, 2, 1))

    def compute_output_shape(self, signal_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the padded signal."""
        batch, samples, channels = signal_shape
        if samples is not None:
            samples += 2 * self.margin + -samples % self.step
        return (batch, samples, channels)
