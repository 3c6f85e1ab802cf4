"""Transposed convolutions computed by plain convolutions (sub-pixel convolution)."""

import itertools
from collections.abc import Sequence

from keras import ops

from kerasep.system.types import Tensor


def subpixel_conv_transpose(
    x: Tensor, kernel: Tensor, strides: Sequence[int], padding: str
) -> Tensor:
    """Compute a transposed convolution by a plain one that returns one stride of outputs at once.

    The outputs of one stride depend on `ceil(kernel size / stride)` inputs. So a plain convolution
    of that many taps computes them, with separate channels for each output of the stride. Its
    channels are then reshaped to samples. If the strides do not divide the kernel, some products
    are with zeros.

    Args:
        x: tensor `(batch, samples, channels)` or `(batch, frames, bins, channels)`.
        kernel: tensor of `keras.layers.Conv1DTranspose` or `Conv2DTranspose`, with the axes sizes,
            filters, channels.
        strides: one stride per axis between batch and channels.
        padding: "same" or "valid".

    Returns:
        Tensor with the axes of `x`, equal to that of `keras.ops.conv_transpose`.

    Example:
    >>> import numpy as np
    >>> x, kernel = np.random.randn(1, 10, 3), np.random.randn(8, 2, 3)
    >>> tuple(subpixel_conv_transpose(x, kernel, (4,), "valid").shape)
    (1, 44, 2)

    Reference:
        Shi et al. 2016, "Is the deconvolution layer the same as a convolutional layer?"
    """
    axes = range(len(strides))
    *sizes, filters, channels = kernel.shape
    lengths = ops.shape(x)[1:-1]
    taps = [-(-size // stride) for size, stride in zip(sizes, strides, strict=True)]
    # Reshape each size of the kernel to (taps, stride), and reverse the taps.
    missing = [[0, t * s - n] for t, s, n in zip(taps, strides, sizes, strict=True)]
    parts = ops.pad(kernel, [*missing, [0, 0], [0, 0]])
    parts = ops.reshape(parts, (*itertools.chain(*zip(taps, strides, strict=True)), filters, -1))
    parts = ops.flip(parts, [2 * axis for axis in axes])
    within = [2 * axis + 1 for axis in axes]
    last = 2 * len(axes)
    order = [*(2 * axis for axis in axes), last + 1, *within, last]
    parts = ops.reshape(ops.transpose(parts, order), (*taps, channels, -1))

    x = ops.pad(x, [[0, 0], *([t - 1, t - 1] for t in taps), [0, 0]])
    y = ops.conv(x, parts, strides=1, padding="valid", data_format="channels_last")
    counts = [length + t - 1 for length, t in zip(lengths, taps, strict=True)]
    y = ops.reshape(y, (-1, *counts, *strides, filters))
    y = ops.transpose(
        y, [0, *itertools.chain(*((1 + a, 1 + len(axes) + a) for a in axes)), last + 1]
    )
    y = ops.reshape(y, (-1, *(c * s for c, s in zip(counts, strides, strict=True)), filters))

    surplus = [max(size - stride, 0) for size, stride in zip(sizes, strides, strict=True)]
    starts = [extra // 2 if padding == "same" else 0 for extra in surplus]
    for axis, (start, extra) in enumerate(zip(starts, surplus, strict=True)):
        wanted = lengths[axis] * strides[axis] + (0 if padding == "same" else extra)
        kept = [slice(None)] * (axis + 1) + [slice(start, start + wanted)]
        y = y[tuple(kept)]
    return y
