"""Layer: from ERB bands to linear frequency bins."""

from typing import Any

import keras

from kerasep import ops
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class InverseERBScale(Arguments, keras.layers.Layer):
    """Interpolate the bands of `ERBScale` to bins, in float32 under any policy. No weights.

    Args:
        sample_rate: in Hz.
        n_fft: FFT length in samples. Defaults to 512.
        low: as in `ERBScale`. Defaults to 65.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, frames, low + bands, channels)`.

    Output shape:
        `(batch, frames, n_fft / 2 + 1, channels)`.

    Raises:
        InputError: if there are fewer bins than bands, or no bands.

    Example:
    >>> import numpy as np
    >>> mask = InverseERBScale(16000)(np.ones((1, 7, 129, 2), "float32"))
    >>> float(keras.ops.min(mask)), tuple(mask.shape)
    (1.0, (1, 7, 257, 2))

    Reference:
        Rong, Sun, Zhang, Hu, Zhu and Lu 2024, "GTCRN: a speech enhancement model requiring
        ultralow computational resources", ICASSP.
    """

    def __init__(self, sample_rate: float, n_fft: int = 512, low: int = 65, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, x: Tensor) -> Tensor:
        """Interpolate `(batch, frames, low + bands, channels)`."""
        bands = x.shape[2] - self.low
        filters = ops.erb_filterbank(self.n_fft, self.sample_rate, self.low, bands)
        spread = keras.ops.einsum("btec,fe->btfc", x[:, :, self.low :], filters)
        return keras.ops.concatenate([x[:, :, : self.low], spread], axis=2)
