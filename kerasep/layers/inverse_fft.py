"""Layer: from the spectrum of each frame to its samples."""

from typing import Any

import keras

from kerasep.errors import InputError
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class InverseFFT(Arguments, keras.layers.Layer):
    """Transform each frame's spectrum back to its samples, in float32 under any policy.

    The frames are not added up: a network can process them further. Add them up with
    `LearnedSynthesis`, or use `InverseSTFT` for a waveform.

    Args:
        n_fft: samples in a frame, as in `STFT`. Defaults to 4096.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        Spectrum `(batch, frames, n_fft / 2 + 1, channels, 2)`.

    Output shape:
        Frames `(batch, frames, n_fft, channels)`.

    Raises:
        InputError: for an n_fft that is not an even number above 0, or a spectrum of another shape.

    Example:
    >>> import numpy as np
    >>> from kerasep.layers import STFT
    >>> x = np.random.randn(1, 1024, 2).astype("float32")
    >>> spectrum = STFT(512, 128, "rectangular", center=False)(x)
    >>> frames = keras.ops.convert_to_numpy(InverseFFT(512)(spectrum))
    >>> bool(np.abs(frames[:, 1] - x[:, 128:640]).max() < 1e-5)
    True
    """

    def __init__(self, n_fft: int = 4096, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        if n_fft < 2 or n_fft % 2:
            raise InputError(f"received n_fft={n_fft}, expected an even number of samples")

    def call(self, spectrum: Tensor) -> Tensor:
        """Transform `(batch, frames, bins, channels, 2)`."""
        shape, bins = tuple(spectrum.shape), self.n_fft // 2 + 1
        if len(shape) != 5 or shape[2] != bins or shape[4] != 2:
            raise InputError(
                f"received a spectrum of shape {shape}, expected (batch, frames, {bins}, channels, "
                f"2): n_fft / 2 + 1 bins"
            )
        rows = keras.ops.transpose(spectrum, (0, 1, 3, 2, 4))
        frames = keras.ops.irfft((rows[..., 0], rows[..., 1]), self.n_fft)
        return keras.ops.transpose(frames, (0, 1, 3, 2))

    def compute_output_shape(self, spectrum_shape: tuple[int | None, ...]) -> tuple:
        """Return the shape of the frames."""
        batch, frames, _, channels, _ = spectrum_shape
        return (batch, frames, self.n_fft, channels)
