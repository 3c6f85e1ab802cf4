"""Padding of spectrograms to multiples of frames and bins, and the crop that undoes it."""

from collections.abc import Sequence

from keras import ops

from kerasep.errors import InputError
from kerasep.system.types import Tensor


def pad_to_multiple(x: Tensor, multiples: Sequence[int], value: float = 0.0) -> Tensor:
    """Append frames and bins until their numbers are multiples of `multiples`.

    Args:
        x: tensor `(batch, frames, bins, channels)`.
        multiples: pair of integers, for frames and for bins.
        value: value of the appended bins. Defaults to 0.

    Returns:
        Tensor `(batch, frames, bins, channels)`, which is `x` itself if it needs no padding.

    Example:
    >>> import numpy as np
    >>> tuple(pad_to_multiple(np.ones((1, 7, 513, 2)), (4, 2)).shape)
    (1, 8, 514, 2)
    """
    sizes = ops.shape(x)[1:3]
    missing = [-size % multiple for size, multiple in zip(sizes, multiples, strict=True)]
    # In a graph compiled for any length, a size is a tensor without a known value.
    if all(isinstance(amount, int) and amount == 0 for amount in missing):
        return x
    pads = [[0, 0], *([0, amount] for amount in missing), [0, 0]]
    return ops.pad(x, pads, constant_values=value)


def crop_like(x: Tensor, like: Tensor) -> Tensor:
    """Crop frames and bins to the size of another tensor.

    Args:
        x: tensor `(batch, frames, bins, ...)`.
        like: tensor `(batch, frames, bins, ...)` with at most as many frames and bins.

    Returns:
        Tensor `(batch, frames, bins, ...)`.

    Raises:
        InputError: if `like` has more frames or bins.

    Example:
    >>> import numpy as np
    >>> tuple(crop_like(np.ones((1, 8, 514, 2)), np.ones((1, 7, 513, 4))).shape)
    (1, 7, 513, 2)
    """
    frames, bins = ops.shape(like)[1:3]
    for have, want in zip(ops.shape(x)[1:3], (frames, bins), strict=True):
        if isinstance(have, int) and isinstance(want, int) and have < want:
            raise InputError(
                f"received a tensor of shape {tuple(x.shape)} to cut to {tuple(like.shape)}, "
                f"expected no fewer frames and bins"
            )
    return x[:, :frames, :bins]
