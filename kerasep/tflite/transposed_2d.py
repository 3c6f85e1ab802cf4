"""The transposed convolution as a plain one that gives `stride` times `stride` outputs at a place.

A transposed convolution of stride `s` writes each output from the few inputs around it, by that
part of the kernel which belongs to the output's place within `s`. These parts, one beside the
other, are the kernel of a plain convolution with `s * s` times the channels; TFLite runs that on
its fast path, and DEPTH_TO_SPACE puts the places side by side. Where the parts are of unequal size
they are filled up with zeros, so there is some more to multiply.
"""

import keras
import numpy as np
import tensorflow as tf

# How many times the multiplications may be: up to there, the plain form was measured to be faster.
_MOST_WORK = 2.6


def conv2d_transpose_form(layer):
    """Return a replacement for the `call` of a transposed convolution.

    Args:
        layer: a built `keras.layers.Conv2DTranspose`.

    Returns:
        A function of a tensor `(batch, frames, bins, channels)`, or None for a layer with a
        dilation, an `output_padding`, another order of axes, or parts so unequal that the plain
        form would multiply far more. Shapes that are not fixed go to the layer's own `call`.
    """
    if (
        layer.data_format != "channels_last"
        or layer.output_padding is not None
        or set(_pair(layer.dilation_rate)) != {1}
    ):
        return None
    sizes, strides = layer.kernel_size, layer.strides
    taps = [axis_taps(*axis, layer.padding) for axis in zip(sizes, strides, strict=True)]
    (rows, _), (columns, _) = taps
    work = rows.shape[0] * columns.shape[0] * np.prod(strides) / np.prod(sizes)
    if work > _MOST_WORK:
        return None
    kernel = plain_kernel(keras.ops.convert_to_numpy(layer.kernel), rows, columns)
    original = layer.call

    def call(x):
        if None in x.shape:
            return original(x)
        batch, *counts, _ = x.shape
        wanted = [
            count * step + (0 if layer.padding == "same" else max(size - step, 0))
            for count, size, step in zip(counts, sizes, strides, strict=True)
        ]
        places = [-(-length // step) for length, step in zip(wanted, strides, strict=True)]
        pads = [
            [before, place + tap.shape[0] - 1 - count - before]
            for place, count, (tap, before) in zip(places, counts, taps, strict=True)
        ]
        # A convolution that fills up evenly by itself needs no operation for it.
        even = all(before == after for before, after in pads) and places == counts
        if not even:
            x = tf.pad(x, [[0, 0], *pads, [0, 0]])
        y = tf.nn.conv2d(x, kernel, 1, "SAME" if even else "VALID")
        y = _spread(y, batch, places, strides, layer.filters)[:, : wanted[0], : wanted[1]]
        if layer.use_bias:
            y = y + layer.bias
        return layer.activation(y)

    return call


def axis_taps(size, stride, padding):
    """Find which tap of a transposed kernel acts where, along one axis.

    Input `i` reaches output `stride * i + k - cut` by tap `k`, where `cut` is what the padding
    takes away in front. So output `stride * m + place` is made of the inputs `m - d` by the taps
    `stride * d + place + cut`.

    Args:
        size: of the transposed kernel.
        stride: of the transposed convolution.
        padding: "same" or "valid".

    Returns:
        Array `(taps, stride)` of taps of the transposed kernel, -1 for none, for each tap of the
        plain kernel and each place; and how many inputs before `m` the first tap looks.

    Example:
    >>> taps, before = axis_taps(5, 2, "same")
    >>> taps.tolist(), before
    ([[3, 4], [1, 2], [-1, 0]], 1)
    """
    cut = max(size - stride, 0) // 2 if padding == "same" else 0
    first, last = -((cut + stride - 1) // stride), (size - 1 - cut) // stride
    steps = np.arange(last, first - 1, -1)
    taps = stride * steps[:, None] + np.arange(stride) + cut
    return np.where((taps >= 0) & (taps < size), taps, -1), last


def plain_kernel(kernel, rows, columns):
    """Arrange a transposed kernel as a plain one.

    Args:
        kernel: array `(size, size, outputs, inputs)`.
        rows: from `axis_taps`.
        columns: likewise.

    Returns:
        Array `(taps, taps, inputs, stride * stride * outputs)`.
    """
    # The tap -1 is the row and column of zeros that is put behind.
    filled = np.pad(kernel, ((0, 1), (0, 1), (0, 0), (0, 0)))
    parts = filled[rows[:, None, :, None], columns[None, :, None, :]]
    parts = parts.transpose(0, 1, 5, 2, 3, 4)
    return np.ascontiguousarray(parts.reshape(*parts.shape[:3], -1))


def _spread(y, batch, places, strides, filters):
    """Put the outputs of each place side by side."""
    if strides == (1, 1):
        return y
    if strides[0] == strides[1]:
        return tf.nn.depth_to_space(y, strides[0])
    y = tf.reshape(y, (batch * places[0], places[1], strides[0], strides[1] * filters))
    y = tf.transpose(y, (0, 2, 1, 3))
    return tf.reshape(y, (batch, places[0] * strides[0], places[1] * strides[1], filters))


def _pair(value):
    return (value, value) if isinstance(value, int) else value
