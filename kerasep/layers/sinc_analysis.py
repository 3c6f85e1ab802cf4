"""Layer: from waveform to the features of band-pass filters with learned edges."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from kerasep import ops
from kerasep.errors import InputError
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class SincAnalysis(Arguments, keras.layers.Layer):
    """Filterbank of sinc functions whose band edges are learned, as in SincNet.

    Each band has an even and an odd filter; see `kerasep.ops.sinc_filters`. The initial edges are
    evenly spaced on the mel scale. They are stored as fractions of the sample rate, so that the
    usual step size of an optimiser moves them; in Hz, as in other implementations, it would not.
    It can replace `LearnedAnalysis`. Float32 under any policy.

    Args:
        filters: number of filters, two per band.
        kernel_size: their length in samples, an odd number.
        hop: samples between frames. Defaults to half the kernel size, rounded down.
        sample_rate: in Hz. Defaults to 16000.
        min_low: lowest lower edge, in Hz. Defaults to 50.
        min_band: smallest bandwidth, in Hz. Defaults to 50.
        activation: function applied to the features. Defaults to None.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        Waveform `(batch, samples, channels)`; weights `low` and `band` of shape `(filters / 2,)`:
        the lower edge above `min_low`, the bandwidth above `min_band`.

    Output shape:
        `(batch, frames, filters, channels)`; with the frames of `LearnedAnalysis`.

    Raises:
        InputError: for an odd number of filters, an even kernel size, a hop beyond the kernel
            size, or a smallest band that is not below half the sample rate.

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
        filters: int,
        kernel_size: int,
        hop: int | None = None,
        sample_rate: float = 16000,
        min_low: float = 50.0,
        min_band: float = 50.0,
        activation: str | Callable | None = None,
        **kwargs: Any,
    ) -> None:
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

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the edges."""
        bands = self.count // 2
        top = self.sample_rate / 2 - (self.min_low + self.min_band)
        first, last = 2595 * np.log10(1 + np.array([30, top]) / 700)
        mel = np.linspace(first, last, bands + 1)
        edges = 700 * (10 ** (mel / 2595) - 1) / self.sample_rate

        def start(values):
            return lambda shape, dtype: keras.ops.convert_to_tensor(values, dtype)

        self.low = self.add_weight(shape=(bands,), initializer=start(edges[:-1]), name="low")
        widths = np.diff(edges)
        self.band = self.add_weight(shape=(bands,), initializer=start(widths), name="band")

    def filters(self) -> Tensor:
        """Return the filters of the current edges: tensor `(filters, kernel_size)`."""
        least, nyquist = self.min_band / self.sample_rate, 0.5
        low = self.min_low / self.sample_rate + keras.ops.abs(self.low)
        low = keras.ops.minimum(low, nyquist - least)
        high = keras.ops.minimum(low + least + keras.ops.abs(self.band), nyquist)
        return ops.sinc_filters(low, high, self.kernel_size)

    def call(self, waveform: Tensor) -> Tensor:
        """Compute the features of `(batch, samples, channels)`."""
        return self.activation(ops.analysis(waveform, self.filters(), self.hop))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the features."""
        batch, samples, channels = input_shape
        frames = None
        if samples is not None:
            frames = ops.count_frames(samples, self.kernel_size, self.hop)
        return (batch, frames, self.count, channels)
