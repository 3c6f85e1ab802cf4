"""Layer: mel bands to linear frequency bins."""

import keras

from kerasep import ops
from kerasep.system.arguments import Arguments


@keras.saving.register_keras_serializable("kerasep")
class InverseMelScale(Arguments, keras.layers.Layer):
    """The magnitude of least energy that has the given mel bands, negative values set to zero.

    The product with the pseudo-inverse of `MelScale`'s filters, in float32 under any policy; no
    weights. Fewer bands than bins cannot tell fine structure apart: what comes back is smooth. A
    magnitude that is a sum of the filters comes back exactly. Where the product is negative, zero
    is nearer to any magnitude; the bands of the result are then a little above those given.

    Args:
        sample_rate: as given to `MelScale`, in Hz.
        n_fft: FFT length in samples of the wanted magnitude. Defaults to 4096.
        low: as given to `MelScale`. Defaults to 0.
        high: as given to `MelScale`. Defaults to half the sample rate.
        scale: as given to `MelScale`. Defaults to "slaney".
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, frames, mels, channels)`.

    Output shape:
        Magnitude `(batch, frames, n_fft / 2 + 1, channels)`, at least 0.

    Raises:
        InputError: when called, as `kerasep.ops.mel_filterbank`.

    Example:
    >>> import numpy as np
    >>> tuple(InverseMelScale(16000, n_fft=512)(np.ones((1, 7, 40, 2), "float32")).shape)
    (1, 7, 257, 2)
    """

    def __init__(self, sample_rate, n_fft=4096, low=0.0, high=None, scale="slaney", **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, bands):
        """Magnitude of `(batch, frames, mels, channels)`."""
        filters = ops.inverse_mel_filterbank(
            self.n_fft, self.sample_rate, bands.shape[2], self.low, self.high, self.scale
        )
        return keras.ops.relu(keras.ops.einsum("btmc,mf->btfc", bands, filters))
