"""Layer: waveform to the features of gammatone filters."""

import keras

from kerasep import ops
from kerasep.system.arguments import Arguments


@keras.saving.register_keras_serializable("kerasep")
class GammatoneAnalysis(Arguments, keras.layers.Layer):
    """Fixed multi-phase gammatone filterbank; no weights.

    See `kerasep.ops.multiphase_gammatone`. Takes the place of `LearnedAnalysis`, with its hop and
    kernel size; float32 under any policy.

    Args:
        filters: number of filters, even and at least 48. Defaults to 128.
        kernel_size: their length in samples. Defaults to 16.
        hop: samples from frame to frame. Defaults to half the kernel size.
        sample_rate: in Hz. Defaults to 8000.
        activation: function of the features; the filters are made for "relu". Defaults to None.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        Waveform `(batch, samples, channels)`.

    Output shape:
        `(batch, frames, filters, channels)`; frames as of `LearnedAnalysis`.

    Raises:
        InputError: for a number of filters that cannot be had, or a hop beyond the kernel size.

    Example:
    >>> import numpy as np
    >>> tuple(GammatoneAnalysis(128, 16)(np.zeros((1, 8000, 1), "float32")).shape)
    (1, 999, 128, 1)

    Reference:
        Ditter and Gerkmann 2020, "A multi-phase gammatone filterbank for speech separation via
        TasNet".
    """

    def __init__(
        self, filters=128, kernel_size=16, hop=None, sample_rate=8000, activation=None, **kwargs
    ):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.count = filters
        self.hop = kernel_size // 2 if hop is None else hop
        ops.check_filterbank(filters, kernel_size, self.hop)
        self.filters = ops.multiphase_gammatone(filters, kernel_size, sample_rate)
        self.activation = keras.activations.get(activation)

    def call(self, waveform):
        """Features of `(batch, samples, channels)`."""
        return self.activation(ops.analysis(waveform, self.filters, self.hop))

    def compute_output_shape(self, input_shape):
        """Shape of the features."""
        batch, samples, channels = input_shape
        frames = None
        if samples is not None:
            frames = ops.count_frames(samples, self.kernel_size, self.hop)
        return (batch, frames, self.count, channels)
