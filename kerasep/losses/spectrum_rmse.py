"""Root-mean-square error of complex spectra."""

from typing import Any

import keras
from keras import ops

from kerasep.losses.loss import _Loss
from kerasep.losses.multi_resolution_stft import level
from kerasep.losses.waveform import check_waveforms
from kerasep.ops import center_pad, check_transform, stft
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class SpectrumRMSE(_Loss):
    """Root-mean-square error of complex spectra: `mean_i sqrt(mean |S_i - E_i|^2 / (2 n_fft))`.

    The mean below the root is taken over channels, frames and bins, the other over sources. Divided
    by `n_fft`, a spectrum of a rectangular window has the level of its waveform. The factor 2
    counts real and imaginary parts one by one, as the original does. Waveforms shorter than half a
    frame are padded with silence.

    Args:
        n_fft: FFT length in samples. Defaults to 4096.
        hop: samples between frames. Defaults to 1024.
        window: as in `kerasep.ops.stft`. Defaults to "rectangular".
        name: name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`; float32 by default.

    Call arguments:
        y_true: source waveforms `(batch, samples, channels, sources)`.
        y_pred: estimates of the same shape.

    Raises:
        InputError: if the shapes do not match, or the transform is invalid.

    Example:
    ```python
    import numpy as np
    from kerasep import losses

    s = np.random.randn(2, 8000, 1, 2).astype("float32")
    loss = losses.SpectrumRMSE(n_fft=512, hop=128)
    assert np.isclose(loss(s, -s), 2 * loss(s, 0 * s), rtol=1e-3)
    ```

    Reference:
        Tong et al. 2024, "SCNet: sparse compression network for music source separation".
    """

    def __init__(
        self,
        n_fft: int = 4096,
        hop: int = 1024,
        window: str = "rectangular",
        name: str = "spectrum_rmse",
        **kwargs: Any,
    ) -> None:
        super().__init__(name, **kwargs)
        check_transform(n_fft, hop, window)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Compute the loss of each example, `(batch,)`."""
        check_waveforms(y_true, y_pred)
        error = ops.cast(y_true, "float32") - ops.cast(y_pred, "float32")
        _, samples, channels, sources = ops.shape(error)
        least = self.n_fft // 2 + 1
        rows = center_pad(ops.reshape(error, (-1, samples, channels * sources)), 1, least, least)
        spectrum = stft(rows, self.n_fft, self.hop, self.window)
        _, frames, bins, _, _ = ops.shape(spectrum)
        spectrum = ops.reshape(spectrum, (-1, frames * bins * channels, sources, 2))
        return ops.mean(level(spectrum, (1, 3)), axis=1) * self.n_fft**-0.5
