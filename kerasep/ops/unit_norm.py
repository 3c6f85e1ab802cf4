"""Normalisation of vectors to length one."""

from keras import ops

from kerasep.system.types import Tensor

# Vectors are divided by at least this length, which keeps values and gradients finite at zero, also
# in float16.
SHORTEST = 2e-5


def unit_norm(x: Tensor, axis: int | tuple[int, ...] = -1) -> Tensor:
    """Divide vectors by their Euclidean length, in float32.

    The zero vector stays zero. Unlike `keras.ops.normalize`, the gradient is finite at zero.

    Args:
        x: tensor of any shape.
        axis: axis of one vector. Defaults to the last.

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
