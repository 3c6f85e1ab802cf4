"""Masks made of masks: what one leaves, and the binary ones."""

from keras import ops

from kerasep.system.types import Tensor


def invert_mask(mask: Tensor) -> Tensor:
    """What a mask leaves of the mixture, `1 - M`: the accompaniment, where M is the vocals'.

    Args:
        mask: tensor of any shape. Values above 1, as a ReLU gives them, have a negative inverse.

    Returns:
        Tensor of the same shape, in float32.

    Example:
    >>> import numpy as np
    >>> float(invert_mask(np.array(0.25)))
    0.75
    """
    return 1.0 - ops.cast(mask, "float32")


def binary_mask(values: Tensor, threshold: float | None = None) -> Tensor:
    """Masks of zeros and ones, from soft masks or source magnitudes; no gradient passes.

    Without a threshold, each bin belongs to its loudest source (the first of equals, also where
    all are silent), so that the masks sum to one. With one, each source has the bins where its
    value is above it, whatever the others have.

    Args:
        values: tensor `(..., sources)`.
        threshold: number, or None for the loudest source. Defaults to None.

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
    # Keras' argmax needs an operation that TFLite lacks.
    loudest = ops.cast(values == ops.max(values, axis=-1, keepdims=True), "float32")
    return ops.where(ops.cumsum(loudest, axis=-1) < 1.5, loudest, 0.0)
