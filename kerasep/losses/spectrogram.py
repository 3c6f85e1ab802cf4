"""Losses of source magnitudes, with targets derived from the packed reference."""

import math
from typing import Any

import keras
from keras import ops

from kerasep import targets
from kerasep.errors import InputError
from kerasep.losses.loss import _Loss
from kerasep.system.types import Tensor


def check_exponent(p: float) -> None:
    """Raise `InputError` for an exponent below 1."""
    if not 1 <= p < math.inf:
        raise InputError(f"received p={p}, expected an exponent of at least 1")


def absolute(x: Tensor) -> Tensor:
    """Compute `|x|` with a gradient of 0 at 0, unlike some backends that have 1."""
    return x * ops.sign(x)


def mean_power(difference: Tensor, p: float) -> Tensor:
    """Compute `mean |d|^p` over all axes except the first."""
    if p == 2:
        powers = ops.square(difference)
    else:
        powers = absolute(difference) if p == 1 else absolute(difference) ** p
    return ops.mean(powers, axis=tuple(range(1, len(difference.shape))))


def have_same_shape(first: Tensor, second: Tensor) -> bool:
    """Return whether two tensors have the same shape, ignoring unknown sizes."""
    pairs = zip(first.shape, second.shape, strict=False)
    return len(first.shape) == len(second.shape) and all(a == b or None in (a, b) for a, b in pairs)


class _SpectrogramLoss(_Loss):
    """Mean distance of estimated source magnitudes from `self.target(y_true)`."""

    def __init__(self, p: float = 1, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        check_exponent(p)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Compute the loss of each example, `(batch,)`."""
        target = self.target(y_true)
        if not have_same_shape(y_pred, target):
            raise InputError(
                f"received source magnitudes of shape {tuple(y_pred.shape)}, expected "
                f"{tuple(target.shape)}, the shape of the reference: use the same sources and "
                f"transform for the data and the model"
            )
        return mean_power(ops.cast(y_pred, "float32") - target, self.p)


@keras.saving.register_keras_serializable("kerasep")
class MagnitudeSpectrum(_SpectrogramLoss):
    """Magnitude spectrum approximation (MSA): `mean | |S_i| - M_i |Y| |^p`.

    Args:
        p: exponent, 1 for L1 or 2 for the mean squared error. Defaults to 1.
        name: name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`; float32 by default.

    Call arguments:
        y_true: packed reference `(batch, frames, bins, channels, 1 + sources, 2)`.
        y_pred: source magnitudes `(batch, frames, bins, channels, sources)`.

    Raises:
        InputError: if the shapes do not match, or `y_true` is not a packed reference.

    Example:
    ```python
    import numpy as np
    from kerasep import losses

    reference = np.random.randn(2, 4, 5, 1, 3, 2).astype("float32")
    loss = losses.MagnitudeSpectrum(p=2)(reference, np.ones((2, 4, 5, 1, 2), "float32"))
    ```

    Reference:
        Weninger et al. 2014, "Discriminatively trained recurrent neural networks for single-channel
        speech separation".
    """

    def __init__(self, p: float = 1, name: str = "magnitude_spectrum", **kwargs: Any) -> None:
        super().__init__(p, name, **kwargs)

    def target(self, reference: Tensor) -> Tensor:
        """Compute `|S|`, `(batch, frames, bins, channels, sources)`."""
        return targets.magnitude_target(reference)


@keras.saving.register_keras_serializable("kerasep")
class PhaseSensitive(_SpectrogramLoss):
    """Phase-sensitive approximation (PSA): `mean | |S_i| cos(angle S_i - angle Y) - M_i |Y| |^p`.

    Args:
        p: exponent, 1 for L1 or 2 for the mean squared error. Defaults to 1.
        name: name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`; float32 by default.

    Call arguments:
        y_true: packed reference `(batch, frames, bins, channels, 1 + sources, 2)`.
        y_pred: source magnitudes `(batch, frames, bins, channels, sources)`.

    Raises:
        InputError: if the shapes do not match, or `y_true` is not a packed reference.

    Example:
    ```python
    import numpy as np
    from kerasep import losses

    reference = np.random.randn(2, 4, 5, 1, 3, 2).astype("float32")
    loss = losses.PhaseSensitive()(reference, np.ones((2, 4, 5, 1, 2), "float32"))
    ```

    Reference:
        Erdogan et al. 2015, "Phase-sensitive and recognition-boosted speech separation".
    """

    def __init__(self, p: float = 1, name: str = "phase_sensitive", **kwargs: Any) -> None:
        super().__init__(p, name, **kwargs)

    def target(self, reference: Tensor) -> Tensor:
        """Compute `|S| cos(angle S - angle Y)`, `(batch, frames, bins, channels, sources)`."""
        return targets.phase_sensitive_target(reference)


@keras.saving.register_keras_serializable("kerasep")
class TruncatedPhaseSensitive(_SpectrogramLoss):
    """Truncated PSA (tPSA): `mean | clip(|S_i| cos(angle S_i - angle Y), 0, |Y|) - M_i |Y| |^p`.

    The truncation keeps the targets in the range of masks from 0 to `limit`.

    Args:
        p: exponent, 1 for L1 or 2 for the mean squared error. Defaults to 1.
        limit: the largest mask value. Targets are clipped to `limit |Y|`. Defaults to 1.
        name: name of the loss.
        **kwargs: `reduction` and `dtype` of `keras.losses.Loss`; float32 by default.

    Call arguments:
        y_true: packed reference `(batch, frames, bins, channels, 1 + sources, 2)`.
        y_pred: source magnitudes `(batch, frames, bins, channels, sources)`.

    Raises:
        InputError: if the shapes do not match, or `y_true` is not a packed reference.

    Example:
    ```python
    import numpy as np
    from kerasep import losses

    reference = np.random.randn(2, 4, 5, 1, 3, 2).astype("float32")
    loss = losses.TruncatedPhaseSensitive()(reference, np.ones((2, 4, 5, 1, 2), "float32"))
    ```

    Reference:
        Wang, Le Roux and Hershey 2018, "Alternative objective functions for deep clustering", eq.
        9.
    """

    def __init__(
        self,
        p: float = 1,
        limit: float = 1.0,
        name: str = "truncated_phase_sensitive",
        **kwargs: Any,
    ) -> None:
        super().__init__(p, name, **kwargs)

    def target(self, reference: Tensor) -> Tensor:
        """Compute the phase-sensitive target clipped to the range from 0 to `limit |Y|`."""
        return targets.truncated_phase_sensitive_target(reference, self.limit)
