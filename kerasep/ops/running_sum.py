"""Sums of all that came before, without the rounding errors of a long chain."""

from keras import ops

from kerasep.system.types import Tensor

BLOCK = 512


def running_sum(x: Tensor) -> Tensor:
    """Cumulative sum along the second axis, in float32, exact enough for hours of frames.

    Added one by one, 0.1 comes to 1% too much after a million frames: every addition rounds the
    same way. Sums within blocks, and then over blocks, keep chains short.

    Args:
        x: tensor `(batch, frames)`.

    Returns:
        Tensor `(batch, frames)`; frame t has the sum of the frames up to t.

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
