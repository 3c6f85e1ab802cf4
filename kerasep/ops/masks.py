"""Inverse and binary masks."""

from keras import ops

from kerasep.system.types import Tensor


def invert_mask(mask: Tensor) -> Tensor:
    """Compute the mask `1 - M` of what remains, such as the accompaniment for a mask of vocals.

    Args:
        mask: tensor of any shape. Values above 1, such as those of a ReLU, have a negative inverse.

    Returns:
        Tensor of the same shape, in float32.

    Example:
    >>> import numpy as np
    >>> float(invert_mask(np.array(0.25)))
    0.75
    """
    return 1.0 - ops.cast(mask, "float32")


def binary_mask(values: Tensor, threshold: float | None = None) -> Tensor:
    """Compute masks of zeros and ones from soft masks or source magnitudes.

    Without a threshold, each bin belongs to its loudest source, so the masks sum to one. The first
    of equally loud sources wins, also in silence. With a threshold, each source gets the bins in
    which its value exceeds the threshold, regardless of the other sources. No gradient passes.

    Args:
        values: tensor `(..., sources)`, soft masks or magnitudes.
        threshold: smallest value to exceed, or None for the loudest source. Defaults to None.

    Returns:
        Tensor `(..., sources)` of float32 zeros and ones.

    Example:
    >>> import numpy as np
    >>> np.asarray(binary_mask(np.array([[0.2, 0.7, 0.6]]))).tolist()
    [[0.0, 1.0, 0.0]]
    >>> np.asarray(binary_mask(np.array([[0.2, 0.7, 0.6]]), 0.5)).tolist()
    [[0.0, 1.0, 1.0]]
    """
    if threshold is not None:
        return ops.cast(values > threshold, "float32")
    # Not `argmax`: it needs an operation that TFLite lacks.
    loudest = ops.cast(values == ops.max(values, axis=-1, keepdims=True), "float32")
    return ops.where(ops.cumsum(loudest, axis=-1) < 1.5, loudest, 0.0)
