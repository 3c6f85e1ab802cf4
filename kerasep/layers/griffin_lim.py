"""Layer: magnitude to waveform, by Griffin-Lim."""

import keras

from kerasep import ops
from kerasep.layers.inverse_stft import InverseSTFT
from kerasep.layers.stft import STFT
from kerasep.system.arguments import Arguments


@keras.saving.register_keras_serializable("kerasep")
class GriffinLim(Arguments, keras.layers.Layer):
    """Waveforms whose spectra have a given magnitude, as nearly as may be, in float32.

    The iterations of `kerasep.ops.griffin_lim`, unrolled: gradients pass through all of them, so
    that a network before it can be trained on the waveforms.

    Args:
        n_fft: as given to `STFT`. Defaults to 4096.
        hop: as given to `STFT`. Defaults to 1024.
        window: as given to `STFT`. Defaults to "hann".
        center: as given to `STFT`. Defaults to True.
        iterations: how often to iterate. Defaults to 32.
        momentum: 0 for the method of Griffin and Lim, else that of Perraudin. Defaults to 0.99.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Call arguments:
        magnitude: `(batch, frames, n_fft / 2 + 1, channels)`.
        initial: spectrum `(batch, frames, n_fft / 2 + 1, channels, 2)` whose phases to start from.
            Default: random phases, the same ones every time.
        like: a waveform `(batch, samples, ...)` whose number of samples the output takes. Default:
            as many as the frames give.

    Output shape:
        Waveform `(batch, samples, channels)`.

    Raises:
        InputError: as `STFT`, or for fewer than 0 iterations or a negative momentum.

    Example:
    >>> import numpy as np
    >>> tuple(GriffinLim(512, 128, iterations=4)(np.ones((1, 11, 257, 2), "float32")).shape)
    (1, 1280, 2)

    Reference:
        Griffin and Lim 1984, "Signal estimation from modified short-time Fourier transform";
        Perraudin, Balazs and Sondergaard 2013, "A fast Griffin-Lim algorithm".
    """

    def __init__(
        self,
        n_fft=4096,
        hop=1024,
        window="hann",
        center=True,
        iterations=32,
        momentum=0.99,
        **kwargs,
    ):
        super().__init__(**{"dtype": "float32", **kwargs})
        ops.check_iterations(iterations, momentum)
        self.stft = STFT(n_fft, hop, window, center, dtype=self.dtype_policy)
        self.inverse_stft = InverseSTFT(n_fft, hop, window, center, dtype=self.dtype_policy)

    def build(self, magnitude_shape, initial_shape=None, like_shape=None):
        """Nothing to create: a transform has no weights."""
        self.stft.built = self.inverse_stft.built = True

    def call(self, magnitude, initial=None, like=None):
        """Invert `(batch, frames, bins, channels)`."""
        start = ops.random_phase(magnitude) if initial is None else initial
        found = ops.alternate_projections(
            magnitude,
            start,
            lambda spectrum: self.stft(self.inverse_stft(spectrum, like=like)),
            self.iterations,
            self.momentum,
        )
        return self.inverse_stft(found, like=like)

    def compute_output_spec(self, magnitude, initial=None, like=None):
        """Shape of the waveform."""
        spectrum = keras.KerasTensor((*magnitude.shape, 2))
        return self.inverse_stft.compute_output_spec(spectrum, like)
