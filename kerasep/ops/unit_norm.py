"""Vectors of length one."""

from keras import ops

from kerasep.system.types import Tensor

# Shorter vectors are lengthened no further: keeps values and gradients finite at zero, in float16
# too.
SHORTEST = 2e-5


def unit_norm(x: Tensor, axis: int | tuple[int, ...] = -1) -> Tensor:
    """Divide vectors by their Euclidean length, in float32; the zero vector stays zero.

    Unlike `keras.ops.normalize`, with a gradient that is finite at zero.

    Args:
        x: tensor.
        axis: the axis of one vector. Defaults to the last.

    Returns:
        Tensor of the same shape, in float32.

    Example:
    >>> import numpy as np
    >>> bool(np.allclose(unit_norm(np.array([3.0, 4.0])), [0.6, 0.8]))
    True
    """
    x = ops.cast(x, "float32")
    power = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return x / ops.sqrt(ops.maximum(power, SHORTEST**2))
