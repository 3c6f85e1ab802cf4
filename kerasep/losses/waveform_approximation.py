"""A loss of waveforms for models that estimate magnitudes."""

from typing import Any

import keras
from keras import ops

from kerasep import targets
from kerasep.errors import InputError
from kerasep.losses.loss import _Loss
from kerasep.losses.pairwise import as_loss, check_sources, each_example
from kerasep.ops import istft, mixture_phase
from kerasep.ops import window as ops_window
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class WaveformApproximation(_Loss):
    """Waveform approximation (WA): `loss(iSTFT(S_i), iSTFT(M_i |Y| exp(j angle Y)))`.

    The estimated magnitudes are combined with the mixture's phase and transformed to waveforms, as
    at inference. So a loss of waveforms, such as `SNR`, trains a model of masks. It takes the
    effects of overlapping frames and of the wrong phase into account.

    Args:
        loss: a loss of waveforms, or its serialised form.
        overlap: the model's FFT length divided by its hop, an integer. The length itself follows
            from the number of bins. Defaults to 4.
        window: the window of the model's transform. Defaults to "hann".
        name: name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`; float32 by default.

    Call arguments:
        y_true: packed reference `(batch, frames, bins, channels, 1 + sources, 2)`.
        y_pred: source magnitudes `(batch, frames, bins, channels, sources)`.

    Raises:
        InputError: if `loss` is not a loss, the transform has no inverse, the shapes do not match,
            or there is only one frame.

    Example:
    ```python
    import numpy as np
    from kerasep import losses, ops, targets

    voices = np.random.randn(1, 2000, 2).astype("float32")
    spectra = np.asarray(ops.stft(voices, 256, 64))[:, :, :, None]
    reference = targets.pack_reference(spectra.sum(axis=-2), spectra)
    loss = losses.WaveformApproximation(losses.SNR())
    best = targets.truncated_phase_sensitive_target(reference)
    assert loss(reference, best) < loss(reference, 0.5 * best)
    ```

    Reference:
        Wang, Le Roux, Wang and Hershey 2018, "End-to-end speech separation with unfolded iterative
        phase reconstruction", equation 9.
    """

    def __init__(
        self,
        loss: keras.losses.Loss | str | dict,
        overlap: int = 4,
        window: str | Tensor = "hann",
        name: str = "waveform_approximation",
        **kwargs: Any,
    ) -> None:
        super().__init__(name, **kwargs)
        if not isinstance(overlap, int) or overlap < 2:
            raise InputError(f"received overlap={overlap!r}, expected an integer of at least 2")
        ops_window(window, 2 * overlap)
        self.loss = as_loss(loss)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Compute the loss of each example, `(batch,)`."""
        mixture, sources = targets.unpack_reference(ops.cast(y_true, "float32"))
        check_sources(y_true, y_pred)
        if y_pred.shape[1] == 1:
            raise InputError(
                "received spectra of one frame, expected at least two: take longer crops"
            )
        estimates = mixture_phase(mixture, y_pred)
        return each_example(self.loss, self._waveforms(sources), self._waveforms(estimates))

    def _waveforms(self, spectra):
        batch, frames, bins, channels, sources, _ = ops.shape(spectra)
        flat = ops.reshape(spectra, (batch, frames, bins, channels * sources, 2))
        n_fft = 2 * (bins - 1)
        waveforms = istft(flat, n_fft, n_fft // self.overlap, self.window)
        return ops.reshape(waveforms, (batch, -1, channels, sources))
