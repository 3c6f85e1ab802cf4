"""Multi-resolution STFT loss of waveforms."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasep.errors import InputError
from kerasep.losses.loss import _Loss
from kerasep.losses.spectrogram import absolute
from kerasep.losses.waveform import check_waveforms
from kerasep.ops import check_transform, magnitude, stft, window
from kerasep.system.types import Tensor

# Magnitudes below count as silence, as in auraloss. Gradients stay within the range of float16.
FLOOR = 1e-4
# The largest spectral convergence, that of an estimate 20 dB louder than its reference.
LIMIT = 10.0
RESOLUTIONS = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))


@keras.saving.register_keras_serializable("kerasep")
class MultiResolutionSTFT(_Loss):
    """Multi-resolution STFT loss: `| |S| - |E| |_F / | |S| |_F + mean |log |S| - log |E||`.

    The first term, spectral convergence, emphasises loud bins. The second, log magnitude distance,
    emphasises soft bins. The loss is the mean of their sum over several resolutions. Waveforms of
    any length are padded with silence at both ends.

    Magnitudes below 1e-4 count as silence, as in auraloss. The first term is limited to 10, which
    it reaches if the estimate is 20 dB louder than the reference. Without the limit it would be
    infinite for silent sources. Beyond the limit its gradient is that of `10 log | |S| - |E| |_F`.

    Args:
        resolutions: FFT length, hop and length of the Hann window of each transform, in samples.
            Defaults to the paper's three, for 24 kHz.
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
    loss = losses.MultiResolutionSTFT(resolutions=((512, 128, 512), (128, 32, 128)))
    assert loss(s, s) < loss(s, 0.9 * s)
    ```

    Reference:
        Yamamoto, Song and Kim 2020, "Parallel WaveGAN".
    """

    def __init__(
        self,
        resolutions: Sequence[Sequence[int]] = RESOLUTIONS,
        name: str = "multi_resolution_stft",
        **kwargs: Any,
    ) -> None:
        super().__init__(name, **kwargs)
        self.resolutions = check_resolutions(resolutions)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Compute the loss of each example, `(batch,)`."""
        check_waveforms(y_true, y_pred)
        distances = [self._distance(y_true, y_pred, *sizes) for sizes in self.resolutions]
        return sum(distances) / len(distances)

    def _distance(self, y_true, y_pred, n_fft, hop, length):
        true, estimated = (magnitude(spectra(x, n_fft, hop, length)) for x in (y_true, y_pred))
        difference = level(true - estimated, (1, 2))
        least = ops.maximum(ops.stop_gradient(difference) / LIMIT, FLOOR)
        convergence = difference / ops.maximum(level(true, (1, 2)), least)
        logs = ops.log(ops.maximum(true, FLOOR)) - ops.log(ops.maximum(estimated, FLOOR))
        return ops.mean(convergence + ops.mean(absolute(logs), axis=(1, 2)), axis=1)


def check_resolutions(resolutions):
    """Return the resolutions as lists, or raise an error for an invalid one."""
    for resolution in resolutions:
        if len(resolution) != 3 or not 0 < resolution[2] <= resolution[0]:
            raise InputError(
                f"received the resolution {[*resolution]}, expected the FFT's length, the hop and "
                f"the window's length, which is at most the FFT's"
            )
        check_transform(*resolution[:2])
    return [[*resolution] for resolution in resolutions]


def spectra(waveforms, n_fft, hop, length):
    """Compute spectra `(batch, frames, bins, channels * sources, 2)`."""
    _, samples, channels, sources = ops.shape(waveforms)
    x = ops.reshape(waveforms, (-1, samples, channels * sources))
    x = ops.pad(x, [[0, 0], [n_fft // 2, n_fft // 2], [0, 0]])
    before = (n_fft - length) // 2
    weights = np.pad(window("hann", length), (before, n_fft - length - before))
    return stft(x, n_fft, hop, weights, center=False)


def level(x, axes):
    """Compute the root mean square over some axes, with a finite gradient at 0."""
    power = ops.mean(ops.square(x), axis=axes)
    return ops.where(power > 0, ops.sqrt(ops.where(power > 0, power, 1.0)), 0.0)
