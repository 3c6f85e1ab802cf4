"""Layer: cut a signal to the length of another, from a given sample on."""

from typing import Any

import keras

from kerasep.errors import InputError
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class Crop(Arguments, keras.layers.Layer):
    """Return as many samples of a signal as another has, from sample `start` on.

    Args:
        start: number of samples to leave out at the beginning. Defaults to 0.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Call arguments:
        signal: `(batch, samples, ...)`.
        like: `(batch, fewer samples, ...)`.

    Output shape:
        `(batch, fewer samples, ...)`.

    Raises:
        InputError: for a start below 0, or a signal that is too short.

    Example:
    >>> import numpy as np
    >>> np.asarray(Crop(2)(np.arange(7.0)[None], np.zeros((1, 4)))).tolist()
    [[2.0, 3.0, 4.0, 5.0]]
    """

    def __init__(self, start: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if start < 0:
            raise InputError(f"received start={start}, expected 0 or more")

    def call(self, signal: Tensor, like: Tensor) -> Tensor:
        """Crop `(batch, samples, ...)`."""
        have, want = keras.ops.shape(signal)[1], keras.ops.shape(like)[1]
        if isinstance(have, int) and isinstance(want, int) and have < self.start + want:
            raise InputError(
                f"received {have} samples to cut {want} from sample {self.start} on, expected no "
                f"fewer than {self.start + want}"
            )
        return signal[:, self.start : self.start + want]

    def compute_output_shape(
        self, signal_shape: tuple[int | None, ...], like_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        """Return the shape of the cropped signal."""
        return (signal_shape[0], like_shape[1], *signal_shape[2:])
