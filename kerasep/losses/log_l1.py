"""Logarithmic L1 loss of waveforms."""

import math
from typing import Any

import keras
from keras import ops

from kerasep.losses.loss import _Loss
from kerasep.losses.spectrogram import absolute
from kerasep.losses.waveform import check_waveforms
from kerasep.system.types import Tensor

# Mean error at full scale, below a 24-bit step. It limits the loss of perfect estimates to -80 dB.
EPSILON = 1e-8
# Smallest sum of errors for short signals, which keeps gradients within the range of float16.
LEAST_SUM = 1e-4


@keras.saving.register_keras_serializable("kerasep")
class LogL1(_Loss):
    """Logarithmic L1 loss of waveforms: `10 log10 mean_t |s - e|`, mean over channels and sources.

    Like a ratio, the logarithm weights soft and loud examples equally. Unlike in a scale-invariant
    ratio, the level of the estimate matters. Outliers count less than in a squared error. Some
    implementations sum over samples, which only adds a constant.

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
    >>> round(float(LogL1()(s, 0.9 * s)), 1)
    -10.0

    Reference:
        After Heitkaemper et al. 2020, "Demystifying TasNet: a dissecting approach",
        where the error is squared.
    """

    def __init__(self, name: str = "log_l1", **kwargs: Any) -> None:
        super().__init__(name, **kwargs)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Compute the loss of each example, `(batch,)`."""
        check_waveforms(y_true, y_pred)
        difference = ops.cast(y_true, "float32") - ops.cast(y_pred, "float32")
        error = ops.mean(absolute(difference), axis=1)
        samples = ops.cast(ops.shape(difference)[1], "float32")
        least = ops.maximum(LEAST_SUM / samples, EPSILON)
        return ops.mean(ops.log(error + least), axis=(1, 2)) * (10 / math.log(10))
