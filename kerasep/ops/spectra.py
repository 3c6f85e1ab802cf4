"""Magnitudes of spectra, and masks applied to them."""

from keras import ops

from kerasep.errors import InputError
from kerasep.system.types import Tensor


def magnitude(spectrum: Tensor) -> Tensor:
    """Compute the magnitude of a spectrum in float32, with a finite gradient at zero.

    Args:
        spectrum: tensor `(..., 2)` with the real and the imaginary part on the last axis.

    Returns:
        Tensor `(...)`.

    Example:
    >>> import numpy as np
    >>> float(magnitude(np.array([3.0, 4.0])))
    5.0
    """
    spectrum = ops.cast(spectrum, "float32")
    power = ops.sum(ops.square(spectrum), axis=-1)
    # The square root has an infinite slope at zero, and silence is common in audio.
    positive = power > 0
    return ops.where(positive, ops.sqrt(ops.where(positive, power, 1.0)), 0.0)


def apply_mask(mask: Tensor, mixture: Tensor) -> Tensor:
    """Multiply a mixture by the masks of its sources, in float32.

    Args:
        mask: tensor `(batch, frames, bins, channels, sources)`.
        mixture: magnitude `(batch, frames, bins, channels)` or spectrum `(batch, frames, bins,
            channels, 2)`.

    Returns:
        Source magnitudes `(batch, frames, bins, channels, sources)`, or source spectra `(batch,
        frames, bins, channels, sources, 2)`.

    Raises:
        InputError: if the shapes of mask and mixture do not match.

    Example:
    >>> import numpy as np
    >>> tuple(apply_mask(np.ones((1, 4, 5, 2, 3)), np.ones((1, 4, 5, 2))).shape)
    (1, 4, 5, 2, 3)
    """
    spectrum = len(mixture.shape) == 5 and mixture.shape[-1] == 2
    pairs = zip(mask.shape[:4], mixture.shape, strict=False)
    if (
        len(mask.shape) != 5
        or not (spectrum or len(mixture.shape) == 4)
        or any(a != b and None not in (a, b) for a, b in pairs)
    ):
        raise InputError(
            f"received a mask {tuple(mask.shape)} for a mixture {tuple(mixture.shape)}, expected "
            f"(batch, frames, bins, channels, sources), and the mixture's magnitude (batch, "
            f"frames, bins, channels) or its spectrum with 2 as a last axis"
        )
    mask, mixture = ops.cast(mask, "float32"), ops.cast(mixture, "float32")
    if spectrum:
        return mask[..., None] * mixture[..., None, :]
    return mask * mixture[..., None]
