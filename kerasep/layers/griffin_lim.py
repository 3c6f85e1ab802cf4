"""Layer: from magnitude to waveform by the Griffin-Lim algorithm."""

from typing import Any

import keras

from kerasep import ops
from kerasep.layers.inverse_stft import InverseSTFT
from kerasep.layers.stft import STFT
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class GriffinLim(Arguments, keras.layers.Layer):
    """Compute waveforms whose spectra have a given magnitude as closely as possible, in float32.

    The iterations of `kerasep.ops.griffin_lim` are unrolled. Gradients pass through all of them, so
    a network in front of this layer can be trained on the waveforms.

    Args:
        n_fft: as in `STFT`. Defaults to 4096.
        hop: as in `STFT`. Defaults to 1024.
        window: as in `STFT`. Defaults to "hann".
        center: as in `STFT`. Defaults to True.
        iterations: number of iterations. Defaults to 32.
        momentum: 0 for the algorithm of Griffin and Lim, above 0 for that of Perraudin. Defaults to
            0.99.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Call arguments:
        magnitude: `(batch, frames, n_fft / 2 + 1, channels)`.
        initial: spectrum `(batch, frames, n_fft / 2 + 1, channels, 2)` whose phases are the
            start. Defaults to random phases, the same every time.
        like: a waveform `(batch, samples, ...)` whose length the output gets. Defaults to the
            length that the frames cover.

    Output shape:
        Waveform `(batch, samples, channels)`.

    Raises:
        InputError: like `STFT`, or for fewer than 0 iterations or a negative momentum.

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
        n_fft: int = 4096,
        hop: int = 1024,
        window: str = "hann",
        center: bool = True,
        iterations: int = 32,
        momentum: float = 0.99,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        ops.check_iterations(iterations, momentum)
        self.stft = STFT(n_fft, hop, window, center, dtype=self.dtype_policy)
        self.inverse_stft = InverseSTFT(n_fft, hop, window, center, dtype=self.dtype_policy)

    def build(
        self,
        magnitude_shape: tuple[int | None, ...],
        initial_shape: tuple[int | None, ...] | None = None,
        like_shape: tuple[int | None, ...] | None = None,
    ) -> None:
        """Mark the transforms as built; they have no weights."""
        self.stft.built = self.inverse_stft.built = True

    def call(
        self, magnitude: Tensor, initial: Tensor | None = None, like: Tensor | None = None
    ) -> Tensor:
        """Invert `(batch, frames, bins, channels)`."""
        start = ops.random_phase(magnitude) if initial is None else initial
        spectrum = ops.alternate_projections(
            magnitude,
            start,
            lambda spectrum: self.stft(self.inverse_stft(spectrum, like=like)),
            self.iterations,
            self.momentum,
        )
        return self.inverse_stft(spectrum, like=like)

    def compute_output_spec(
        self, magnitude: Tensor, initial: Tensor | None = None, like: Tensor | None = None
    ) -> keras.KerasTensor:
        """Return the shape of the waveform."""
        spectrum = keras.KerasTensor((*magnitude.shape, 2))
        return self.inverse_stft.compute_output_spec(spectrum, like)
