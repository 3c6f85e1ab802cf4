"""Padding of signals to lengths that a network accepts, and symmetric cropping."""

from keras import ops

from kerasep.errors import InputError
from kerasep.system.types import Tensor


def center_pad(signal: Tensor, step: int, least: int, reach: int) -> Tensor:
    """Pad with zeros on both sides to the next length that a network accepts.

    A network accepts `least`, `least + step`, `least + 2 * step`, ... samples. From these it
    returns `reach`, `reach + step`, `reach + 2 * step`, ... samples. The signal is padded to the
    shortest length that returns at least as many samples as the signal has. If the padding is odd,
    the end gets one more zero.

    Args:
        signal: tensor `(batch, samples, channels)`.
        step: difference between two accepted lengths, in samples.
        least: the shortest accepted length, in samples.
        reach: samples that the network returns from the shortest length.

    Returns:
        Tensor `(batch, least + n * step, channels)`.

    Example:
    >>> import numpy as np
    >>> [center_pad(np.ones((1, samples, 1)), 4, 10, 6).shape[1] for samples in (1, 6, 7, 10, 11)]
    [10, 10, 14, 14, 18]
    """
    missing = _missing(signal, step, least, reach)
    return ops.pad(signal, [[0, 0], [missing // 2, missing - missing // 2], [0, 0]])


def end_pad(signal: Tensor, step: int, least: int) -> Tensor:
    """Pad with zeros at the end to the next length that a network accepts.

    Args:
        signal: tensor `(batch, samples, channels)`.
        step: difference between two accepted lengths, in samples.
        least: the shortest accepted length, in samples.

    Returns:
        Tensor `(batch, least + n * step, channels)`.

    Example:
    >>> import numpy as np
    >>> [end_pad(np.ones((1, samples, 1)), 4, 10).shape[1] for samples in (1, 10, 11)]
    [10, 10, 14]
    """
    return ops.pad(signal, [[0, 0], [0, _missing(signal, step, least, least)], [0, 0]])


def _missing(signal, step, least, reach):
    """Compute how many samples a signal lacks."""
    samples = ops.shape(signal)[1]
    steps = -((reach - samples) // step)
    steps = max(0, steps) if isinstance(samples, int) else ops.maximum(0, steps)
    return least + steps * step - samples


def center_crop(signal: Tensor, like: Tensor) -> Tensor:
    """Crop a signal on both sides to the length of another.

    If the number of removed samples is odd, the end loses one more.

    Args:
        signal: tensor `(batch, samples, ...)`.
        like: tensor `(batch, fewer samples, ...)`.

    Returns:
        Tensor `(batch, fewer samples, ...)`.

    Raises:
        InputError: if `like` is longer.

    Example:
    >>> import numpy as np
    >>> center_crop(np.arange(7)[None], np.zeros((1, 4)))
    array([[1, 2, 3, 4]])
    """
    have, want = ops.shape(signal)[1], ops.shape(like)[1]
    if isinstance(have, int) and isinstance(want, int) and have < want:
        raise InputError(f"received {have} samples to cut to {want}, expected no fewer")
    start = (have - want) // 2
    return signal[:, start : start + want]
