"""Layer: from waveform to the features of learned filters with a gate."""

from typing import Any

import keras

from kerasep import ops
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor

# The level of silence: far below one step of 16-bit audio.
_FLOOR = 1e-16


@keras.saving.register_keras_serializable("kerasep")
class GatedAnalysis(Arguments, keras.layers.Layer):
    """Learned filterbank with a gate, on frames of unit level: the encoder of the first TasNet.

    Each frame is divided by its Euclidean norm and multiplied by two sets of filters; the features
    are `relu(u) * sigmoid(v)` of the two products. The norm is returned too: multiply the features
    by it before `LearnedSynthesis`. Float32 under any policy.

    Args:
        filters: number of filters.
        kernel_size: their length in samples.
        hop: samples between frames. Defaults to the kernel size, so frames do not overlap.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        Waveform `(batch, samples, channels)`; weights `filters` and `gates` of shape
        `(filters, kernel_size)`.

    Output shape:
        Tuple of features `(batch, frames, filters, channels)`, with enough frames to cover every
        sample, and levels `(batch, frames, 1, channels)`.

    Raises:
        InputError: for fewer than 1 filter, or a hop beyond the kernel size.

    Example:
    >>> import numpy as np
    >>> features, levels = GatedAnalysis(500, 40)(np.ones((1, 8000, 1), "float32"))
    >>> tuple(features.shape), tuple(levels.shape)
    ((1, 200, 500, 1), (1, 200, 1, 1))

    Reference:
        Luo and Mesgarani 2018, "TasNet: time-domain audio separation network for real-time,
        single-channel speech separation", section 2.2.
    """

    def __init__(
        self, filters: int, kernel_size: int, hop: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.count = filters
        self.hop = kernel_size if hop is None else hop
        ops.check_filterbank(filters, kernel_size, self.hop)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create both sets of filters."""
        shape = (self.count, self.kernel_size)
        self.filters = self.add_weight(shape=shape, name="filters")
        self.gates = self.add_weight(shape=shape, name="gates")

    def call(self, waveform: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the features and levels of `(batch, samples, channels)`."""
        x = keras.ops.transpose(keras.ops.cast(waveform, "float32"), (0, 2, 1))
        x = ops.frame(ops.pad_to_frames(x, self.kernel_size, self.hop), self.kernel_size, self.hop)
        level = keras.ops.sum(keras.ops.square(x), axis=-1, keepdims=True)
        level = keras.ops.sqrt(level + _FLOOR)
        x = x / level
        values, gates = (
            keras.ops.tensordot(x, keras.ops.transpose(filters), axes=1)
            for filters in (self.filters, self.gates)
        )
        features = keras.ops.relu(values) * keras.ops.sigmoid(gates)
        return tuple(keras.ops.transpose(part, (0, 2, 3, 1)) for part in (features, level))

    def compute_output_spec(self, waveform: Tensor) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Return the shapes of the features and of the levels."""
        batch, frames, channels = waveform.shape
        if frames is not None:
            frames = ops.count_frames(frames, self.kernel_size, self.hop)
        return (
            keras.KerasTensor((batch, frames, self.count, channels), dtype=self.compute_dtype),
            keras.KerasTensor((batch, frames, 1, channels), dtype=self.compute_dtype),
        )
