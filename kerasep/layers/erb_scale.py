"""Layer: from linear frequency bins to ERB bands above a limit."""

from typing import Any

import keras

from kerasep import ops
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class ERBScale(Arguments, keras.layers.Layer):
    """Keep the low bins, and merge the others into ERB bands, in float32 under any policy.

    The ear resolves high frequencies less than low ones, so that a network needs fewer of them. The
    filters are those of `kerasep.ops.erb_filterbank`. The layer has no weights.

    Args:
        sample_rate: in Hz.
        low: number of low bins that are kept. Defaults to 65.
        bands: number of bands of the other bins. Defaults to 64.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        Features of bins `(batch, frames, bins, channels)`.

    Output shape:
        `(batch, frames, low + bands, channels)`.

    Raises:
        InputError: if there are fewer bins than bands.

    Example:
    >>> import numpy as np
    >>> tuple(ERBScale(16000)(np.zeros((1, 7, 257, 3), "float32")).shape)
    (1, 7, 129, 3)

    Reference:
        Rong, Sun, Zhang, Hu, Zhu and Lu 2024, "GTCRN: a speech enhancement model requiring
        ultralow computational resources", ICASSP.
    """

    def __init__(self, sample_rate: float, low: int = 65, bands: int = 64, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, x: Tensor) -> Tensor:
        """Merge the bins of `(batch, frames, bins, channels)`."""
        n_fft = 2 * (x.shape[2] - 1)
        filters = ops.erb_filterbank(n_fft, self.sample_rate, self.low, self.bands)
        merged = keras.ops.einsum("btfc,fe->btec", x[:, :, self.low :], filters)
        return keras.ops.concatenate([x[:, :, : self.low], merged], axis=2)
