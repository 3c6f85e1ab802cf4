"""Layer: from waveform to the features of learned filters."""

from collections.abc import Callable
from typing import Any

import keras

from kerasep import ops
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class LearnedAnalysis(Arguments, keras.layers.Layer):
    """Learned filterbank instead of a short-time Fourier transform: the encoder of TasNet.

    Each channel is correlated with the filters separately, in float32 under any policy; see
    `kerasep.ops.analysis`. The features have the axes of a magnitude. `SincAnalysis` and
    `GammatoneAnalysis` can replace it, and `LearnedSynthesis` is the way back from all three.

    Args:
        filters: number of filters.
        kernel_size: their length in samples.
        hop: samples between frames. Defaults to half the kernel size.
        activation: function applied to the features, such as "relu", which makes them
            non-negative. Defaults to None.
        initializer: initializer of the filters. Defaults to "glorot_normal".
        fill: whether remaining samples at the end get a frame too, padded with zeros. Models with
            published weights leave them out. Defaults to True.
        use_bias: whether a number is added to every feature. Defaults to False.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        Waveform `(batch, samples, channels)`; weight `filters` of shape `(filters, kernel_size)`,
        and `bias` of shape `(filters,)` with `use_bias`.

    Output shape:
        `(batch, frames, filters, channels)`, with enough frames to cover every sample: one, plus
        one per `hop` samples after the first `kernel_size`, rounded up, or down without `fill`.

    Raises:
        InputError: for fewer than 1 filter, or a hop beyond the kernel size.

    Example:
    >>> import numpy as np
    >>> tuple(LearnedAnalysis(512, 16, activation="relu")(np.zeros((1, 8000, 1), "float32")).shape)
    (1, 999, 512, 1)

    Reference:
        Luo and Mesgarani 2019, "Conv-TasNet: Surpassing ideal time-frequency magnitude masking for
        speech separation", section II.B.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        hop: int | None = None,
        activation: str | Callable | None = None,
        initializer: str | keras.Initializer = "glorot_normal",
        fill: bool = True,
        use_bias: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.count = filters
        self.hop = kernel_size // 2 if hop is None else hop
        ops.check_filterbank(filters, kernel_size, self.hop)
        self.activation = keras.activations.get(activation)
        self.initializer = keras.initializers.get(initializer)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the filters."""
        self.filters = self.add_weight(
            shape=(self.count, self.kernel_size), initializer=self.initializer, name="filters"
        )
        if self.use_bias:
            self.bias = self.add_weight(shape=(self.count,), initializer="zeros", name="bias")

    def call(self, waveform: Tensor) -> Tensor:
        """Compute the features of `(batch, samples, channels)`."""
        features = ops.analysis(waveform, self.filters, self.hop, self.fill)
        if self.use_bias:
            features = features + self.bias[:, None]
        return self.activation(features)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the features."""
        batch, samples, channels = input_shape
        frames = None
        if samples is not None:
            # Without `fill`, remaining samples do not count.
            left = 0 if self.fill else (samples - self.kernel_size) % self.hop
            frames = ops.count_frames(samples - left, self.kernel_size, self.hop)
        return (batch, frames, self.count, channels)
