"""Distance of compressed spectra of waveforms."""

from typing import Any

import keras
from keras import ops

from kerasep.errors import InputError
from kerasep.losses.loss import _Loss
from kerasep.losses.waveform import check_waveforms
from kerasep.ops import check_transform, stft
from kerasep.system.types import Tensor

# Powers below count as silence. The original has 1e-12, whose gradients leave the range of float16.
FLOOR = 1e-8


@keras.saving.register_keras_serializable("kerasep")
class CompressedSpectrum(_Loss):
    """Squared distance of spectra whose magnitudes are raised to a power below 1.

    `mean(a |S' - E'|^2 + b (|S'| - |E'|)^2)`, where `S' = |S|^p S / |S|`. The compression gives
    soft bins more weight, as the ear does. Waveforms of any length are padded with silence at both
    ends.

    Args:
        power: exponent p of the magnitudes. Defaults to 0.3.
        complex_weight: weight a of real and imaginary part. Defaults to 30.
        magnitude_weight: weight b of the magnitude. Defaults to 70.
        n_fft: FFT length in samples. Defaults to 512.
        hop: samples between frames. Defaults to 256.
        window: as in `kerasep.ops.stft`. Defaults to "sqrt_hann".
        name: name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`; float32 by default.

    Call arguments:
        y_true: source waveforms `(batch, samples, channels, sources)`.
        y_pred: estimates of the same shape.

    Raises:
        InputError: if the shapes do not match, the power is not between 0 and 1, or the transform
            is invalid.

    Example:
    ```python
    import numpy as np
    from kerasep import losses

    s = np.random.randn(2, 4000, 1, 2).astype("float32")
    loss = losses.CompressedSpectrum()
    assert loss(s, s) < loss(s, 0.9 * s)
    ```

    Reference:
        Braun and Tashev 2021, "A consolidated view of loss functions for supervised deep
        learning-based speech enhancement"; with these weights in Rong et al. 2024, "GTCRN".
    """

    def __init__(
        self,
        power: float = 0.3,
        complex_weight: float = 30.0,
        magnitude_weight: float = 70.0,
        n_fft: int = 512,
        hop: int = 256,
        window: str = "sqrt_hann",
        name: str = "compressed_spectrum",
        **kwargs: Any,
    ) -> None:
        super().__init__(name, **kwargs)
        if not 0 < power <= 1:
            raise InputError(f"received power={power}, expected a number above 0, up to 1")
        check_transform(n_fft, hop, window)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Compute the loss of each example, `(batch,)`."""
        check_waveforms(y_true, y_pred)
        true, true_magnitude = self._compressed(y_true)
        estimated, magnitude = self._compressed(y_pred)
        distance = self.complex_weight * ops.sum(ops.square(true - estimated), axis=-1)
        distance = distance + self.magnitude_weight * ops.square(true_magnitude - magnitude)
        return ops.mean(distance, axis=(1, 2, 3))

    def _compressed(self, waveforms):
        """Compute the compressed spectrum `(batch, frames, bins, rows, 2)`, and its magnitude."""
        _, samples, channels, sources = ops.shape(waveforms)
        x = ops.reshape(ops.cast(waveforms, "float32"), (-1, samples, channels * sources))
        x = ops.pad(x, [[0, 0], [self.n_fft // 2, self.n_fft // 2], [0, 0]])
        spectrum = stft(x, self.n_fft, self.hop, self.window, center=False)
        magnitude = ops.sqrt(ops.sum(ops.square(spectrum), axis=-1) + FLOOR)
        compressed = spectrum * (magnitude ** (self.power - 1))[..., None]
        return compressed, magnitude**self.power
