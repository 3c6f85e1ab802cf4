"""Negative signal-to-distortion ratios as losses: less is better."""

import keras
from keras import ops

from kerasep.losses.waveform import check_waveforms
from kerasep.ops import ratios


class _RatioLoss(keras.losses.Loss):
    """Minus `self.ratio`, mean over channels and sources."""

    def __init__(self, name=None, reduction="sum_over_batch_size", dtype="float32"):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true, y_pred):
        """Loss of each example in dB, `(batch,)`."""
        check_waveforms(y_true, y_pred)
        return -ops.mean(type(self).ratio(y_true, y_pred), axis=(1, 2))

    def get_config(self):
        """Return the constructor's arguments."""
        return {"name": self.name, "reduction": self.reduction, "dtype": self.dtype}


@keras.saving.register_keras_serializable("kerasep")
class SISNR(_RatioLoss):
    """Negative scale-invariant signal-to-noise ratio: `-10 log10(|a s|^2 / |a s - e|^2)`, in dB.

    `a = <e, s> / |s|^2`, after the mean is taken off both. (Some texts print it without the minus;
    as a loss it needs one.) Finite, with finite gradients, at silence and at perfection.

    Args:
        name: name of the loss.
        reduction: as in `keras.losses.Loss`.
        dtype: as in `keras.losses.Loss`; float32 under any mixed-precision policy.

    Call arguments:
        y_true: source waveforms `(batch, samples, channels, sources)`.
        y_pred: estimates of the same shape.

    Raises:
        InputError: for other shapes.

    Example:
    >>> import numpy as np
    >>> s = np.random.randn(2, 100, 1, 2).astype("float32")
    >>> bool(SISNR()(s, s) < -60)
    True

    Reference:
        Luo and Mesgarani 2018, "TasNet", eq. 12 to 14.
    """

    ratio = staticmethod(ratios.si_snr)

    def __init__(self, name="si_snr", reduction="sum_over_batch_size", dtype="float32"):
        super().__init__(name, reduction, dtype)


@keras.saving.register_keras_serializable("kerasep")
class SISDR(_RatioLoss):
    """Negative scale-invariant signal-to-distortion ratio, in dB: `SISNR` without taking means off.

    `-10 log10(|a s|^2 / |a s - e|^2)` with `a = <e, s> / |s|^2`.

    Args:
        name: name of the loss.
        reduction: as in `keras.losses.Loss`.
        dtype: as in `keras.losses.Loss`; float32 under any mixed-precision policy.

    Call arguments:
        y_true: source waveforms `(batch, samples, channels, sources)`.
        y_pred: estimates of the same shape.

    Raises:
        InputError: for other shapes.

    Example:
    >>> import numpy as np
    >>> s = np.random.randn(2, 100, 1, 2).astype("float32")
    >>> bool(SISDR()(s, s + 0.01) < -20)
    True

    Reference:
        Le Roux et al. 2019, "SDR - half-baked or well done?", eq. 3.
    """

    ratio = staticmethod(ratios.si_sdr)

    def __init__(self, name="si_sdr", reduction="sum_over_batch_size", dtype="float32"):
        super().__init__(name, reduction, dtype)


@keras.saving.register_keras_serializable("kerasep")
class SDSDR(_RatioLoss):
    """Negative scale-dependent signal-to-distortion ratio, in dB: a wrong level costs.

    `-10 log10(|a s|^2 / |s - e|^2)` with `a = <e, s> / |s|^2`.

    Args:
        name: name of the loss.
        reduction: as in `keras.losses.Loss`.
        dtype: as in `keras.losses.Loss`; float32 under any mixed-precision policy.

    Call arguments:
        y_true: source waveforms `(batch, samples, channels, sources)`.
        y_pred: estimates of the same shape.

    Raises:
        InputError: for other shapes.

    Example:
    >>> import numpy as np
    >>> s = np.random.randn(2, 100, 1, 2).astype("float32")
    >>> bool(SDSDR()(s, s + 0.01) < -20)
    True

    Reference:
        Le Roux et al. 2019, "SDR - half-baked or well done?", section 3.
    """

    ratio = staticmethod(ratios.sd_sdr)

    def __init__(self, name="sd_sdr", reduction="sum_over_batch_size", dtype="float32"):
        super().__init__(name, reduction, dtype)


@keras.saving.register_keras_serializable("kerasep")
class SNR(_RatioLoss):
    """Negative signal-to-noise ratio, in dB: `-10 log10(|s|^2 / |s - e|^2)`.

    Args:
        name: name of the loss.
        reduction: as in `keras.losses.Loss`.
        dtype: as in `keras.losses.Loss`; float32 under any mixed-precision policy.

    Call arguments:
        y_true: source waveforms `(batch, samples, channels, sources)`.
        y_pred: estimates of the same shape.

    Raises:
        InputError: for other shapes.

    Example:
    >>> import numpy as np
    >>> s = np.ones((2, 100, 1, 2), "float32")
    >>> round(float(SNR()(s, 0.9 * s)))
    -20
    """

    ratio = staticmethod(ratios.snr)

    def __init__(self, name="snr", reduction="sum_over_batch_size", dtype="float32"):
        super().__init__(name, reduction, dtype)
