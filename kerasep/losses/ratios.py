"""Losses that are negative signal-to-distortion ratios."""

from typing import Any

import keras
from keras import ops

from kerasep.losses.loss import _Loss
from kerasep.losses.waveform import check_waveforms
from kerasep.ops import ratios
from kerasep.system.types import Tensor

# Differences of energies below this share of the energies are rounding errors.
ROUNDING = 1e-6


class _RatioLoss(_Loss):
    """Minus `self.ratio`; `energies` of signal and noise follow from `|s|^2`, `|e|^2`, `<s, e>`."""

    zero_mean = False

    def __init__(self, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Compute the loss of each example in dB, `(batch,)`."""
        check_waveforms(y_true, y_pred)
        ratio = self.ratio(_samples_last(y_true), _samples_last(y_pred), axis=-1)
        return -ops.mean(ratio, axis=(1, 2))

    def pairwise(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Compute the loss of all sources with all estimates, exact for ratios up to 60 dB."""
        y_true, y_pred = self._prepared(y_true), self._prepared(y_pred)
        reference = ops.sum(ops.square(y_true), axis=-1)[..., None]
        estimate = ops.sum(ops.square(y_pred), axis=-1)[:, :, None]
        return self._from_products(reference, estimate, _products(y_true, y_pred))

    def with_sums(self, y_true: Tensor, y_pred: Tensor, members: Tensor) -> Tensor:
        """Compute the loss of sources with sums of estimates; `members` is `(sums, estimates)`."""
        y_true, y_pred = self._prepared(y_true), self._prepared(y_pred)
        members = ops.cast(members, "float32")
        reference = ops.sum(ops.square(y_true), axis=-1)[..., None]
        # Not matmul: TensorFlow 2.21 crashes on some batches of matrices by one matrix.
        held = ops.tensordot(_products(y_pred, y_pred), members, [[-1], [-1]])
        energy = ops.sum(held * ops.transpose(members), axis=2)[:, :, None]
        product = ops.tensordot(_products(y_true, y_pred), members, [[-1], [-1]])
        return self._from_products(reference, energy, product)

    def _prepared(self, waveforms):
        waveforms = _samples_last(ops.cast(waveforms, "float32"))
        if self.zero_mean:
            return waveforms - ops.mean(waveforms, axis=-1, keepdims=True)
        return waveforms

    def _from_products(self, reference, estimate, product):
        signal, noise = self.energies(reference, estimate, product)
        return -ops.mean(ratios.decibels(signal, noise), axis=1)


def _samples_last(waveforms):
    """Move samples to the last axis, over which sums are several times as fast."""
    return ops.transpose(waveforms, (0, 2, 3, 1))


def _products(first, second):
    """Compute inner products over samples, `(batch, channels, sources, sources)`."""
    return ops.einsum("bcst,bcet->bcse", first, second)


def _plain(reference: Tensor, estimate: Tensor, product: Tensor) -> tuple[Tensor, Tensor]:
    both = reference + estimate
    return reference, ops.maximum(both - 2 * product, ROUNDING * both)


def _scaled(reference: Tensor, estimate: Tensor, product: Tensor) -> tuple[Tensor, Tensor]:
    target = ops.square(product) / (reference + ratios.EPSILON)
    return target, ops.maximum(estimate - target, ROUNDING * estimate)


def _scaled_signal(reference: Tensor, estimate: Tensor, product: Tensor) -> tuple[Tensor, Tensor]:
    return _scaled(reference, estimate, product)[0], _plain(reference, estimate, product)[1]


@keras.saving.register_keras_serializable("kerasep")
class SISNR(_RatioLoss):
    """Negative scale-invariant signal-to-noise ratio: `-10 log10(|a s|^2 / |a s - e|^2)`, in dB.

    `a = <e, s> / |s|^2`, after the mean of both signals is subtracted. Some texts print the loss
    without the minus. That is the ratio itself, and minimising it makes estimates worse. Values and
    gradients are finite for silent sources and for perfect estimates.

    Args:
        name: name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`; float32 by default.

    Call arguments:
        y_true: source waveforms `(batch, samples, channels, sources)`.
        y_pred: estimates of the same shape.

    Raises:
        InputError: if the shapes are different.

    Example:
    >>> import numpy as np
    >>> s = np.random.randn(2, 100, 1, 2).astype("float32")
    >>> bool(SISNR()(s, s) < -60)
    True

    Reference:
        Luo and Mesgarani 2018, "TasNet".
    """

    ratio = staticmethod(ratios.si_snr)
    energies = staticmethod(_scaled)
    zero_mean = True

    def __init__(self, name: str = "si_snr", **kwargs: Any) -> None:
        super().__init__(name, **kwargs)


@keras.saving.register_keras_serializable("kerasep")
class SISDR(_RatioLoss):
    """Negative SI-SDR: `-10 log10(|a s|^2 / |a s - e|^2)` with `a = <e, s> / |s|^2`, in dB.

    This is the scale-invariant signal-to-distortion ratio, like `SISNR` but without subtracting the
    means.

    Args:
        name: name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`; float32 by default.

    Call arguments:
        y_true: source waveforms `(batch, samples, channels, sources)`.
        y_pred: estimates of the same shape.

    Raises:
        InputError: if the shapes are different.

    Example:
    >>> import numpy as np
    >>> s = np.random.randn(2, 100, 1, 2).astype("float32")
    >>> bool(SISDR()(s, s + 0.01) < -20)
    True

    Reference:
        Le Roux et al. 2019, "SDR - half-baked or well done?".
    """

    ratio = staticmethod(ratios.si_sdr)
    energies = staticmethod(_scaled)

    def __init__(self, name: str = "si_sdr", **kwargs: Any) -> None:
        super().__init__(name, **kwargs)


@keras.saving.register_keras_serializable("kerasep")
class SDSDR(_RatioLoss):
    """Negative SD-SDR: `-10 log10(|a s|^2 / |s - e|^2)` with `a = <e, s> / |s|^2`, in dB.

    This is the scale-dependent signal-to-distortion ratio, which penalises a wrong level.

    Args:
        name: name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`; float32 by default.

    Call arguments:
        y_true: source waveforms `(batch, samples, channels, sources)`.
        y_pred: estimates of the same shape.

    Raises:
        InputError: if the shapes are different.

    Example:
    >>> import numpy as np
    >>> s = np.random.randn(2, 100, 1, 2).astype("float32")
    >>> bool(SDSDR()(s, s + 0.01) < -20)
    True

    Reference:
        Le Roux et al. 2019, "SDR - half-baked or well done?".
    """

    ratio = staticmethod(ratios.sd_sdr)
    energies = staticmethod(_scaled_signal)

    def __init__(self, name: str = "sd_sdr", **kwargs: Any) -> None:
        super().__init__(name, **kwargs)


@keras.saving.register_keras_serializable("kerasep")
class SNR(_RatioLoss):
    """Negative signal-to-noise ratio, in dB: `-10 log10(|s|^2 / |s - e|^2)`.

    Args:
        name: name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`; float32 by default.

    Call arguments:
        y_true: source waveforms `(batch, samples, channels, sources)`.
        y_pred: estimates of the same shape.

    Raises:
        InputError: if the shapes are different.

    Example:
    >>> import numpy as np
    >>> s = np.ones((2, 100, 1, 2), "float32")
    >>> round(float(SNR()(s, 0.9 * s)))
    -20
    """

    ratio = staticmethod(ratios.snr)
    energies = staticmethod(_plain)

    def __init__(self, name: str = "snr", **kwargs: Any) -> None:
        super().__init__(name, **kwargs)


@keras.saving.register_keras_serializable("kerasep")
class ThresholdedSNR(_RatioLoss):
    """Negative thresholded SNR: `-10 log10(|s|^2 / (|s - e|^2 + t |s|^2))`, in dB.

    With `t = 10^(-limit / 10)` the loss is never below `-limit`, so that examples that are already
    good do not dominate the others. It is the loss of mixture invariant training.

    Args:
        limit: ratio of a perfect estimate, in dB. Defaults to 30.
        name: name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`; float32 by default.

    Call arguments:
        y_true: source waveforms `(batch, samples, channels, sources)`.
        y_pred: estimates of the same shape.

    Raises:
        InputError: if the shapes are different.

    Example:
    >>> import numpy as np
    >>> s = np.ones((2, 100, 1, 2), "float32")
    >>> round(float(ThresholdedSNR()(s, s)))
    -30

    Reference:
        Wisdom et al. 2020, "Unsupervised sound separation using mixture invariant training".
    """

    def __init__(self, limit: float = 30.0, name: str = "thresholded_snr", **kwargs: Any) -> None:
        super().__init__(name, **kwargs)

    def ratio(self, reference: Tensor, estimate: Tensor, axis: int | tuple[int, ...]) -> Tensor:
        """Compute the thresholded ratio in dB along `axis`."""
        return ratios.thresholded_snr(reference, estimate, self.limit, axis)

    def energies(
        self, reference: Tensor, estimate: Tensor, product: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the energies of the signal, and of the noise plus its threshold."""
        _, noise = _plain(reference, estimate, product)
        return reference, noise + 10 ** (-self.limit / 10) * reference
