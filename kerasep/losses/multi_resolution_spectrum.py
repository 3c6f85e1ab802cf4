"""L1 distance of complex spectra at several resolutions."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from kerasep.losses.loss import _Loss
from kerasep.losses.multi_resolution_stft import check_resolutions, spectra
from kerasep.losses.waveform import check_waveforms
from kerasep.ops import magnitude
from kerasep.system.types import Tensor

RESOLUTIONS = tuple((max(2048, length), 147, length) for length in (4096, 2048, 1024, 512, 256))


@keras.saving.register_keras_serializable("kerasep")
class MultiResolutionSpectrum(_Loss):
    """L1 distance of complex spectra at several resolutions: `sum_r mean |S_r - E_r|`.

    The modulus of the complex difference counts errors of the phase too, unlike
    `MultiResolutionSTFT`. It is summed over the resolutions, and averaged over frames, bins,
    channels and sources. Waveforms of any length are padded with silence at both ends.

    Args:
        resolutions: FFT length, hop and length of the Hann window of each transform, in samples.
            Defaults to windows of 4096, 2048, 1024, 512 and 256 samples, hops of 147, and FFTs of
            at least 2048, as band-split RoFormers are trained.
        name: name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`; float32 by default.

    Call arguments:
        y_true: source waveforms `(batch, samples, channels, sources)`.
        y_pred: estimates of the same shape.

    Raises:
        InputError: if the shapes do not match, or a resolution is invalid.

    Example:
    ```python
    import numpy as np
    from kerasep import losses

    s = np.random.randn(2, 4000, 1, 2).astype("float32")
    loss = losses.MultiResolutionSpectrum(resolutions=((512, 128, 512), (128, 32, 128)))
    assert np.isclose(loss(s, -s), 2 * loss(s, 0 * s), rtol=1e-3)
    ```

    Reference:
        Lu, Wang, Kong and Hung 2023, "Music source separation with band-split RoPE transformer".
    """

    def __init__(
        self,
        resolutions: Sequence[Sequence[int]] = RESOLUTIONS,
        name: str = "multi_resolution_spectrum",
        **kwargs: Any,
    ) -> None:
        super().__init__(name, **kwargs)
        self.resolutions = check_resolutions(resolutions)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Compute the loss of each example, `(batch,)`."""
        check_waveforms(y_true, y_pred)
        error = y_true - y_pred  # the transform is linear
        return sum(
            ops.mean(magnitude(spectra(error, *sizes)), axis=(1, 2, 3))
            for sizes in self.resolutions
        )
