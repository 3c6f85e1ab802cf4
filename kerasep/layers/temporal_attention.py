"""Layer: gates of channels that follow their energy over time."""

from typing import Any

import keras
from keras import ops

from kerasep.layers.grouped_gru import GroupedGRU
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class TemporalAttention(Arguments, keras.layers.Layer):
    """Gates `sigmoid(W GRU(mean_f x^2))` of each channel and frame, for all bands. Causal.

    A GRU of twice as many units as channels sees the energy of every channel so far.

    Args:
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, frames, bands, channels)`.

    Output shape:
        Gates from 0 to 1, `(batch, frames, 1, channels)`, to multiply the input by.

    Example:
    >>> import numpy as np
    >>> x = np.random.randn(1, 10, 33, 8).astype("float32")
    >>> tuple(TemporalAttention()(x).shape)
    (1, 10, 1, 8)

    Reference:
        Rong, Sun, Zhang, Hu, Zhu and Lu 2024, "GTCRN: a speech enhancement model requiring
        ultralow computational resources", ICASSP, section 2.3.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the layers inside for the number of channels."""
        channels = input_shape[-1] or 0
        self.recurrent = GroupedGRU(2 * channels, groups=1, name="recurrent")
        self.gate = keras.layers.Dense(
            channels, activation="sigmoid", name="gate", dtype=self.dtype_policy
        )
        self.recurrent.build((*input_shape[:2], 1, channels))
        self.gate.build((*input_shape[:2], 1, 2 * channels))

    def energy(self, x: Tensor) -> Tensor:
        """Compute the energy of each channel, `(batch, frames, 1, channels)`."""
        return ops.mean(ops.square(x), axis=2, keepdims=True)

    def call(self, x: Tensor) -> Tensor:
        """Compute the gates of `(batch, frames, bands, channels)`."""
        return self.gate(self.recurrent(self.energy(x)))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the gates."""
        return (*input_shape[:2], 1, input_shape[-1])
