"""Mean distance of waveforms, and the check of their shapes."""

from typing import Any

import keras
from keras import ops

from kerasep.errors import InputError
from kerasep.losses.loss import _Loss
from kerasep.losses.spectrogram import check_exponent, have_same_shape, mean_power
from kerasep.system.types import Tensor


def check_waveforms(y_true: Tensor, y_pred: Tensor) -> None:
    """Raise `InputError` unless both are source waveforms of the same shape."""
    if len(y_true.shape) != 4 or not have_same_shape(y_true, y_pred):
        raise InputError(
            f"received y_true {tuple(y_true.shape)} and y_pred {tuple(y_pred.shape)}, expected "
            f"(batch, samples, channels, sources) twice"
        )


@keras.saving.register_keras_serializable("kerasep")
class Waveform(_Loss):
    """Mean distance of waveforms: `mean |s - e|^p` over samples, channels and sources.

    Args:
        p: exponent, 1 for L1 or 2 for the mean squared error. Defaults to 1.
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
    >>> float(Waveform(p=2)(s, 0 * s))
    1.0
    """

    def __init__(self, p: float = 1, name: str = "waveform", **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        check_exponent(p)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Compute the loss of each example, `(batch,)`."""
        check_waveforms(y_true, y_pred)
        return mean_power(ops.cast(y_true, "float32") - ops.cast(y_pred, "float32"), self.p)
