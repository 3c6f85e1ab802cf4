"""Layer: from linear frequency bins to mel bands."""

from typing import Any

import keras

from kerasep import ops
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class MelScale(Arguments, keras.layers.Layer):
    """Sum the bins of a magnitude into mel bands, in float32 under any policy. No weights.

    Args:
        sample_rate: in Hz.
        mels: number of bands. Defaults to 128.
        low: lower edge of the first band, in Hz. Defaults to 0.
        high: upper edge of the last band, in Hz. Defaults to half the sample rate.
        scale: "slaney" or "htk"; see `kerasep.ops.mel_filterbank`. Defaults to "slaney".
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        Magnitude `(batch, frames, bins, channels)`.

    Output shape:
        `(batch, frames, mels, channels)`.

    Example:
    >>> import numpy as np
    >>> tuple(MelScale(16000, mels=40)(np.zeros((1, 7, 257, 2), "float32")).shape)
    (1, 7, 40, 2)
    """

    def __init__(
        self,
        sample_rate: float,
        mels: int = 128,
        low: float = 0.0,
        high: float | None = None,
        scale: str = "slaney",
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, magnitude: Tensor) -> Tensor:
        """Compute the bands of `(batch, frames, bins, channels)`."""
        n_fft = 2 * (magnitude.shape[2] - 1)
        filters = ops.mel_filterbank(
            n_fft, self.sample_rate, self.mels, self.low, self.high, self.scale
        )
        return keras.ops.einsum("btfc,fm->btmc", magnitude, filters)
