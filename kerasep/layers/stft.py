"""Layer: from waveform to spectrum."""

from typing import Any

import keras

from kerasep import ops
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class STFT(Arguments, keras.layers.Layer):
    """Compute the short-time Fourier transform of waveforms, in float32 under any policy.

    Args:
        n_fft: samples in a frame, the length of the FFT. Defaults to 4096.
        hop: samples between frames, at most three quarters of a frame. Defaults to 1024.
        window: "hann", "sqrt_hann", "hamming" or "rectangular". Defaults to "hann".
        center: whether frame t is centred on sample `t * hop`, with the waveform mirrored at its
            ends. Defaults to True.
        fill: whether without `center` remaining samples at the end get a frame too, padded with
            zeros, as in `LearnedAnalysis`. Defaults to False.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        Waveform `(batch, samples, channels)`.

    Output shape:
        Spectrum `(batch, frames, n_fft / 2 + 1, channels, 2)`, like `kerasep.ops.stft`.

    Raises:
        InputError: for an n_fft or hop that cannot be inverted, or an unknown window.

    Example:
    >>> import numpy as np
    >>> tuple(STFT(512, 128)(np.zeros((1, 1280, 2), "float32")).shape)
    (1, 11, 257, 2, 2)
    """

    def __init__(
        self,
        n_fft: int = 4096,
        hop: int = 1024,
        window: str = "hann",
        center: bool = True,
        fill: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        ops.check_transform(n_fft, hop)
        ops.window(window, n_fft)

    def call(self, waveform: Tensor) -> Tensor:
        """Transform `(batch, samples, channels)`."""
        if self.fill and not self.center:
            rows = keras.ops.transpose(waveform, (0, 2, 1))
            rows = ops.pad_to_frames(rows, self.n_fft, self.hop)
            waveform = keras.ops.transpose(rows, (0, 2, 1))
        return ops.stft(waveform, self.n_fft, self.hop, self.window, self.center)

    def compute_output_spec(self, waveform: Tensor) -> keras.KerasTensor:
        """Return the shape of the spectrum."""
        batch, samples, channels = waveform.shape
        frames = None
        if samples is not None and self.fill and not self.center:
            frames = ops.count_frames(samples, self.n_fft, self.hop)
        elif samples is not None:
            frames = ops.count_stft_frames(samples, self.n_fft, self.hop, self.center)
        return keras.KerasTensor((batch, frames, self.n_fft // 2 + 1, channels, 2), dtype="float32")
