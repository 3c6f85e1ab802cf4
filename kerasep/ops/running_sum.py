"""Cumulative sums without the rounding errors of long chains of additions."""

from keras import ops

from kerasep.system.types import Tensor

BLOCK = 512


def running_sum(x: Tensor) -> Tensor:
    """Compute the cumulative sum over frames in float32, precisely even for hours of frames.

    A plain chain of additions rounds the same way every time. A million times 0.1 then sums to 1%
    too much. Summing within blocks, and then over blocks, keeps the chains short.

    Args:
        x: tensor `(batch, frames)`.

    Returns:
        Tensor `(batch, frames)`. Frame `t` is the sum of the frames up to and including `t`.

    Example:
    >>> import numpy as np
    >>> np.asarray(running_sum(np.ones((1, 4)))).tolist()
    [[1.0, 2.0, 3.0, 4.0]]
    """
    x = ops.cast(x, "float32")
    frames = x.shape[1]
    if frames is not None and frames <= BLOCK:
        return ops.cumsum(x, axis=1)
    batch, frames = ops.shape(x)
    blocks = -(-frames // BLOCK)
    x = ops.pad(x, [[0, 0], [0, blocks * BLOCK - frames]])
    within = ops.cumsum(ops.reshape(x, (batch, blocks, BLOCK)), axis=2)
    totals = within[:, :, -1]
    before = ops.cumsum(totals, axis=1) - totals
    return ops.reshape(within + before[:, :, None], (batch, blocks * BLOCK))[:, :frames]
