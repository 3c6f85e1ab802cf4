"""Layer: from waveform to the features of gammatone filters."""

from collections.abc import Callable
from typing import Any

import keras

from kerasep import ops
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class GammatoneAnalysis(Arguments, keras.layers.Layer):
    """Fixed multi-phase gammatone filterbank; no weights.

    See `kerasep.ops.multiphase_gammatone`. It replaces `LearnedAnalysis`, with the same hop and
    kernel size. Float32 under any policy.

    Args:
        filters: number of filters, even and at least 48. Defaults to 128.
        kernel_size: their length in samples. Defaults to 16.
        hop: samples between frames. Defaults to half the kernel size.
        sample_rate: in Hz. Defaults to 8000.
        activation: function applied to the features. The filters are designed for "relu".
            Defaults to None.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        Waveform `(batch, samples, channels)`.

    Output shape:
        `(batch, frames, filters, channels)`; with the frames of `LearnedAnalysis`.

    Raises:
        InputError: for an odd number of filters or fewer than 48, or a hop beyond the kernel size.

    Example:
    >>> import numpy as np
    >>> tuple(GammatoneAnalysis(128, 16)(np.zeros((1, 8000, 1), "float32")).shape)
    (1, 999, 128, 1)

    Reference:
        Ditter and Gerkmann 2020, "A multi-phase gammatone filterbank for speech separation via
        TasNet".
    """

    def __init__(
        self,
        filters: int = 128,
        kernel_size: int = 16,
        hop: int | None = None,
        sample_rate: float = 8000,
        activation: str | Callable | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.count = filters
        self.hop = kernel_size // 2 if hop is None else hop
        ops.check_filterbank(filters, kernel_size, self.hop)
        self.filters = ops.multiphase_gammatone(filters, kernel_size, sample_rate)
        self.activation = keras.activations.get(activation)

    def call(self, waveform: Tensor) -> Tensor:
        """Compute the features of `(batch, samples, channels)`."""
        return self.activation(ops.analysis(waveform, self.filters, self.hop))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the features."""
        batch, samples, channels = input_shape
        frames = None
        if samples is not None:
            frames = ops.count_frames(samples, self.kernel_size, self.hop)
        return (batch, frames, self.count, channels)
