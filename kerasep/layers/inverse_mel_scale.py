"""Layer: from mel bands to linear frequency bins."""

from typing import Any

import keras

from kerasep import ops
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class InverseMelScale(Arguments, keras.layers.Layer):
    """Compute the magnitude of least energy with given mel bands; negative values become zero.

    The bands are multiplied by the pseudo-inverse of `MelScale`'s filters, in float32 under any
    policy. There are no weights. Fewer bands than bins do not resolve fine structure, so the result
    is smooth. A magnitude that is a sum of the filters is restored exactly. Setting negative values
    to zero brings the result closer to any magnitude, and its bands slightly above the input's.

    Args:
        sample_rate: as in `MelScale`, in Hz.
        n_fft: FFT length in samples of the resulting magnitude. Defaults to 4096.
        low: as in `MelScale`. Defaults to 0.
        high: as in `MelScale`. Defaults to half the sample rate.
        scale: as in `MelScale`. Defaults to "slaney".
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, frames, mels, channels)`.

    Output shape:
        Magnitude `(batch, frames, n_fft / 2 + 1, channels)`, at least 0.

    Raises:
        InputError: when called, like `kerasep.ops.mel_filterbank`.

    Example:
    >>> import numpy as np
    >>> tuple(InverseMelScale(16000, n_fft=512)(np.ones((1, 7, 40, 2), "float32")).shape)
    (1, 7, 257, 2)
    """

    def __init__(
        self,
        sample_rate: float,
        n_fft: int = 4096,
        low: float = 0.0,
        high: float | None = None,
        scale: str = "slaney",
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, bands: Tensor) -> Tensor:
        """Compute the magnitude of `(batch, frames, mels, channels)`."""
        filters = ops.inverse_mel_filterbank(
            self.n_fft, self.sample_rate, bands.shape[2], self.low, self.high, self.scale
        )
        return keras.ops.relu(keras.ops.einsum("btmc,mf->btfc", bands, filters))
