"""Layer: waveform to spectrum."""

import keras

from kerasep import ops
from kerasep.system.arguments import Arguments


@keras.saving.register_keras_serializable("kerasep")
class STFT(Arguments, keras.layers.Layer):
    """Short-time Fourier transform of waveforms, in float32 under any policy.

    Args:
        n_fft: samples in a frame, and the FFT's length. Defaults to 4096.
        hop: samples from frame to frame, at most three quarters of a frame. Defaults to 1024.
        window: "hann", "sqrt_hann", "hamming" or "rectangular". Defaults to "hann".
        center: whether frame t is centred on sample `t * hop`, the waveform mirrored at its ends.
            Defaults to True.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        Waveform `(batch, samples, channels)`.

    Output shape:
        Spectrum `(batch, frames, n_fft / 2 + 1, channels, 2)`, as `kerasep.ops.stft` gives it.

    Raises:
        InputError: for an n_fft or hop that cannot be inverted, or an unknown window.

    Example:
    >>> import numpy as np
    >>> tuple(STFT(512, 128)(np.zeros((1, 1280, 2), "float32")).shape)
    (1, 11, 257, 2, 2)
    """

    def __init__(self, n_fft=4096, hop=1024, window="hann", center=True, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        ops.check_transform(n_fft, hop)
        ops.window(window, n_fft)

    def call(self, waveform):
        """Transform `(batch, samples, channels)`."""
        return ops.stft(waveform, self.n_fft, self.hop, self.window, self.center)

    def compute_output_spec(self, waveform):
        """Shape of the spectrum."""
        batch, samples, channels = waveform.shape
        frames = None
        if samples is not None:
            frames = ops.count_stft_frames(samples, self.n_fft, self.hop, self.center)
        return keras.KerasTensor((batch, frames, self.n_fft // 2 + 1, channels, 2), dtype="float32")
