"""Layer: waveform to the features of learned filters."""

import keras

from kerasep import ops
from kerasep.system.arguments import Arguments


@keras.saving.register_keras_serializable("kerasep")
class LearnedAnalysis(Arguments, keras.layers.Layer):
    """Learned filterbank in place of a short-time Fourier transform: the encoder of TasNet.

    Each channel is correlated with the filters alone, in float32 under any policy; see
    `kerasep.ops.analysis`. The features have the axes of a magnitude. `SincAnalysis` and
    `GammatoneAnalysis` can take its place, and `LearnedSynthesis` goes back from any of them.

    Args:
        filters: number of filters.
        kernel_size: their length in samples.
        hop: samples from frame to frame. Defaults to half the kernel size.
        activation: function of the features, such as "relu", which makes them non-negative.
            Defaults to None.
        initializer: start of the filters. Defaults to "glorot_normal".
        fill: whether samples left over at the end get a frame too, filled up with zeros. Models
            with published weights leave them out. Defaults to True.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        Waveform `(batch, samples, channels)`; weight `filters` of shape `(filters, kernel_size)`.

    Output shape:
        `(batch, frames, filters, channels)`, with as many frames as reach every sample: one for
        each `hop` samples after the first `kernel_size`, rounded up, or down without `fill`.

    Raises:
        InputError: for no filters, or a hop beyond the kernel size.

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
        filters,
        kernel_size,
        hop=None,
        activation=None,
        initializer="glorot_normal",
        fill=True,
        **kwargs,
    ):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.count = filters
        self.hop = kernel_size // 2 if hop is None else hop
        ops.check_filterbank(filters, kernel_size, self.hop)
        self.activation = keras.activations.get(activation)
        self.initializer = keras.initializers.get(initializer)

    def build(self, input_shape):
        """Create the filters."""
        self.filters = self.add_weight(
            shape=(self.count, self.kernel_size), initializer=self.initializer, name="filters"
        )

    def call(self, waveform):
        """Features of `(batch, samples, channels)`."""
        return self.activation(ops.analysis(waveform, self.filters, self.hop, self.fill))

    def compute_output_shape(self, input_shape):
        """Shape of the features."""
        batch, samples, channels = input_shape
        frames = None
        if samples is not None:
            # Without `fill`, as many as if the samples left over were not there.
            left = 0 if self.fill else (samples - self.kernel_size) % self.hop
            frames = ops.count_frames(samples - left, self.kernel_size, self.hop)
        return (batch, frames, self.count, channels)
