"""Layer: from spectrum to waveform."""

from typing import Any

import keras

from kerasep import ops
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class InverseSTFT(Arguments, keras.layers.Layer):
    """Invert `STFT` exactly, including the edges, in float32 under any policy.

    Args:
        n_fft: as in `STFT`. Defaults to 4096.
        hop: as in `STFT`. Defaults to 1024.
        window: as in `STFT`. Defaults to "hann".
        center: as in `STFT`. Defaults to True.
        least: smallest sum of squared windows that is divided by, as in `kerasep.ops.istft`.
            Defaults to 1e-10.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Call arguments:
        spectrum: `(batch, frames, n_fft / 2 + 1, channels, 2)`.
        like: a waveform `(batch, samples, ...)` whose length the output gets. Defaults to the
            length that the frames cover.

    Output shape:
        Waveform `(batch, samples, channels)`.

    Raises:
        InputError: for an n_fft or hop that cannot be inverted, or an unknown window.

    Example:
    >>> import numpy as np
    >>> from kerasep.layers import STFT
    >>> x = np.random.randn(1, 1000, 2).astype("float32")
    >>> y = InverseSTFT(512, 128)(STFT(512, 128)(x), like=x)
    >>> bool(np.abs(np.asarray(y) - x).max() < 1e-5)
    True
    """

    def __init__(
        self,
        n_fft: int = 4096,
        hop: int = 1024,
        window: str = "hann",
        center: bool = True,
        least: float = 1e-10,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        ops.check_transform(n_fft, hop)
        ops.window(window, n_fft)

    def call(self, spectrum: Tensor, like: Tensor | None = None) -> Tensor:
        """Invert `(batch, frames, bins, channels, 2)`."""
        length = None if like is None else keras.ops.shape(like)[1]
        settings = self.n_fft, self.hop, self.window, self.center
        return ops.istft(spectrum, *settings, length, self.least)

    def compute_output_spec(
        self, spectrum: Tensor, like: Tensor | None = None
    ) -> keras.KerasTensor:
        """Return the shape of the waveform."""
        batch, frames, _, channels, _ = spectrum.shape
        if like is not None:
            samples = like.shape[1]
        elif frames is None:
            samples = None
        else:
            samples = (frames - 1) * self.hop + (0 if self.center else self.n_fft)
        return keras.KerasTensor((batch, samples, channels), dtype="float32")
