"""Layer: from source magnitudes to source waveforms that sum to the mixture."""

from typing import Any

import keras

from kerasep import ops
from kerasep.layers.inverse_stft import InverseSTFT
from kerasep.layers.stft import STFT
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class MISI(Arguments, keras.layers.Layer):
    """Multiple input spectrogram inversion, in float32 under any policy.

    The iterations of `kerasep.ops.misi` are unrolled. Gradients pass through all of them, so a
    network that estimates the magnitudes can be trained on the waveforms, as Wang et al. do.

    Args:
        n_fft: as in `STFT`. Defaults to 4096.
        hop: as in `STFT`. Defaults to 1024.
        window: as in `STFT`. Defaults to "hann".
        center: as in `STFT`. Defaults to True.
        iterations: number of iterations. Defaults to 5.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Call arguments:
        mixture: waveform `(batch, samples, channels)`.
        source_magnitudes: `(batch, frames, n_fft / 2 + 1, channels, sources)`.

    Output shape:
        Source waveforms `(batch, samples, channels, sources)`.

    Raises:
        InputError: like `STFT`, or for fewer than 0 iterations.

    Example:
    >>> import numpy as np
    >>> x, m = np.ones((1, 1280, 2), "float32"), np.ones((1, 11, 257, 2, 3), "float32")
    >>> tuple(MISI(512, 128)(x, m).shape)
    (1, 1280, 2, 3)

    Reference:
        Gunawan and Sen 2010, "Iterative phase estimation for the synthesis of separated sources
        from single-channel mixtures"; Wang, Le Roux, Wang and Hershey 2018, "End-to-end speech
        separation with unfolded iterative phase reconstruction".
    """

    def __init__(
        self,
        n_fft: int = 4096,
        hop: int = 1024,
        window: str = "hann",
        center: bool = True,
        iterations: int = 5,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        ops.check_iterations(iterations)
        self.stft = STFT(n_fft, hop, window, center, dtype=self.dtype_policy)
        self.inverse_stft = InverseSTFT(n_fft, hop, window, center, dtype=self.dtype_policy)

    def build(
        self, mixture_shape: tuple[int | None, ...], source_magnitudes_shape: tuple[int | None, ...]
    ) -> None:
        """Mark the transforms as built; they have no weights."""
        self.stft.built = self.inverse_stft.built = True

    def call(self, mixture: Tensor, source_magnitudes: Tensor) -> Tensor:
        """Compute the sources of `(batch, samples, channels)`."""
        like = mixture if self.center else None
        return ops.invert_together(
            mixture,
            source_magnitudes,
            self.stft,
            lambda spectrum: self.inverse_stft(spectrum, like=like),
            self.iterations,
        )

    def compute_output_spec(self, mixture: Tensor, source_magnitudes: Tensor) -> keras.KerasTensor:
        """Return the shape of the source waveforms."""
        shape = (*mixture.shape, source_magnitudes.shape[-1])
        return keras.KerasTensor(shape, dtype="float32")
