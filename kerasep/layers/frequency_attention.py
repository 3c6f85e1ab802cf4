"""Layer: gates of bands that follow the energy over frequency."""

from typing import Any

import keras
from keras import ops

from kerasep.errors import InputError
from kerasep.layers.grouped_gru import GroupedGRU
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class FrequencyAttention(Arguments, keras.layers.Layer):
    """Gates of each band and frame, for all channels, from the energy of the frame's bands.

    A bidirectional GRU runs over the energies, a few neighbouring bands at a step.

    Args:
        size: number of bands of a step, and of units of each direction. Defaults to 4.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, frames, bands, channels)`.

    Output shape:
        Gates from 0 to 1, `(batch, frames, bands, 1)`, to multiply the input by.

    Raises:
        InputError: if `size` is below 1.

    Example:
    >>> import numpy as np
    >>> x = np.random.randn(1, 10, 33, 8).astype("float32")
    >>> tuple(FrequencyAttention()(x).shape)
    (1, 10, 33, 1)

    Reference:
        Rong, Liu, Hu, Zhu and Lu 2025, "UL-UNAS: ultra-lightweight U-Nets for real-time speech
        enhancement via network architecture search".
    """

    def __init__(self, size: int = 4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if size < 1:
            raise InputError(f"received size={size}, expected at least 1")
        self.recurrent = GroupedGRU(2 * size, 1, "bands", True, name="recurrent")
        self.gate = keras.layers.Dense(
            size, activation="sigmoid", name="gate", dtype=self.dtype_policy
        )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the layers inside."""
        steps = -(-(input_shape[2] or 0) // self.size)
        self.recurrent.build((*input_shape[:2], steps, self.size))
        self.gate.build((*input_shape[:2], steps, 2 * self.size))

    def energy(self, x: Tensor) -> Tensor:
        """Compute the energy of each band, `(batch, frames, steps, size)`."""
        frames, bands = ops.shape(x)[1], x.shape[2]
        energy = ops.mean(ops.square(x), axis=3)
        energy = ops.pad(energy, [[0, 0], [0, 0], [0, -bands % self.size]])
        return ops.reshape(energy, (-1, frames, -(-bands // self.size), self.size))

    def gates(self, x: Tensor, bands: int) -> Tensor:
        """Compute the gates `(batch, frames, bands, 1)` from the output of the GRU."""
        gates = ops.reshape(self.gate(x), (-1, ops.shape(x)[1], x.shape[2] * self.size, 1))
        return gates[:, :, :bands]

    def call(self, x: Tensor) -> Tensor:
        """Compute the gates of `(batch, frames, bands, channels)`."""
        return self.gates(self.recurrent(self.energy(x)), x.shape[2])

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the gates."""
        return (*input_shape[:3], 1)
