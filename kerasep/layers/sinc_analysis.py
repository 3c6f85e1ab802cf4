"""Layer: waveform to the features of band-pass filters with learned edges."""

import keras
import numpy as np

from kerasep import ops
from kerasep.errors import InputError
from kerasep.system.arguments import Arguments


@keras.saving.register_keras_serializable("kerasep")
class SincAnalysis(Arguments, keras.layers.Layer):
    """Filterbank of sinc functions, of which only the band edges are learned: SincNet's.

    Each band has an even and an odd filter; see `kerasep.ops.sinc_filters`. The edges start evenly
    on the mel scale. They are kept as fractions of the sample rate, so that an optimiser's usual
    step size moves them; in Hz, as other implementations keep them, it would not. Takes the place
    of `LearnedAnalysis`; float32 under any policy.

    Args:
        filters: number of filters, two for each band.
        kernel_size: their length in samples, an odd number.
        hop: samples from frame to frame. Defaults to half the kernel size, rounded down.
        sample_rate: in Hz. Defaults to 16000.
        min_low: lowest lower edge, in Hz. Defaults to 50.
        min_band: least bandwidth, in Hz. Defaults to 50.
        activation: function of the features. Defaults to None.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        Waveform `(batch, samples, channels)`; weights `low` and `band` of shape `(filters / 2,)`:
        the lower edge above `min_low`, the bandwidth above `min_band`.

    Output shape:
        `(batch, frames, filters, channels)`; frames as of `LearnedAnalysis`.

    Raises:
        InputError: for an odd number of filters, an even kernel size, a hop beyond the kernel
            size, or edges that leave no room below half the sample rate.

    Example:
    >>> import numpy as np
    >>> tuple(SincAnalysis(64, 101, 50)(np.zeros((1, 8000, 2), "float32")).shape)
    (1, 159, 64, 2)

    Reference:
        Ravanelli and Bengio 2018, "Speaker recognition from raw waveform with SincNet"; Pariente et
        al. 2020, "Filterbank design for end-to-end speech separation" (the odd filters).
    """

    def __init__(
        self,
        filters,
        kernel_size,
        hop=None,
        sample_rate=16000,
        min_low=50.0,
        min_band=50.0,
        activation=None,
        **kwargs,
    ):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.count = filters
        self.hop = kernel_size // 2 if hop is None else hop
        ops.check_filterbank(filters, kernel_size, self.hop)
        if filters % 2 or kernel_size % 2 == 0:
            raise InputError(
                f"received filters={filters}, kernel_size={kernel_size}, expected an even number "
                f"of filters of odd length"
            )
        if min_low < 0 or min_band <= 0 or min_low + min_band >= sample_rate / 2:
            raise InputError(
                f"received min_low={min_low}, min_band={min_band}, expected a least band above 0 "
                f"that lies below half of sample_rate={sample_rate}"
            )
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        """Create the edges."""
        bands = self.count // 2
        top = self.sample_rate / 2 - (self.min_low + self.min_band)
        mel = np.linspace(*(2595 * np.log10(1 + np.array([30, top]) / 700)), bands + 1)
        edges = 700 * (10 ** (mel / 2595) - 1) / self.sample_rate

        def start(values):
            return lambda shape, dtype: keras.ops.convert_to_tensor(values, dtype)

        self.low = self.add_weight(shape=(bands,), initializer=start(edges[:-1]), name="low")
        widths = np.diff(edges)
        self.band = self.add_weight(shape=(bands,), initializer=start(widths), name="band")

    def filters(self):
        """The filters of the present edges: tensor `(filters, kernel_size)`."""
        least, nyquist = self.min_band / self.sample_rate, 0.5
        low = self.min_low / self.sample_rate + keras.ops.abs(self.low)
        low = keras.ops.minimum(low, nyquist - least)
        high = keras.ops.minimum(low + least + keras.ops.abs(self.band), nyquist)
        return ops.sinc_filters(low, high, self.kernel_size)

    def call(self, waveform):
        """Features of `(batch, samples, channels)`."""
        return self.activation(ops.analysis(waveform, self.filters(), self.hop))

    def compute_output_shape(self, input_shape):
        """Shape of the features."""
        batch, samples, channels = input_shape
        frames = None
        if samples is not None:
            frames = ops.count_frames(samples, self.kernel_size, self.hop)
        return (batch, frames, self.count, channels)
