"""Transposed convolutions as plain ones that compute a whole stride of outputs at once.

A transposed convolution of stride `s` computes each output from the few inputs around it, with the
part of the kernel that belongs to the output's place within `s`. Side by side, these parts are the
kernel of a plain convolution with `s` times the channels per axis, which TFLite runs on its fast
path. In 2D DEPTH_TO_SPACE puts the places side by side. Parts of unequal size are filled up with
zeros, which costs some extra multiplications.
"""

import keras
import numpy as np
import tensorflow as tf

from kerasep.ops import subpixel_conv_transpose

# Up to this many times the multiplications, the plain form was measured to be faster.
_MOST_WORK = 2.6


def conv1d_transpose_form(layer):
    """Return a replacement for the `call` of a built `Conv1DTranspose`, or None if it has none."""
    size, stride = layer.kernel_size[0], layer.strides[0]
    if not _is_plain(layer) or stride > size:
        return None
    original = layer.call

    def call(inputs):
        if None in inputs.shape:
            return original(inputs)
        y = subpixel_conv_transpose(inputs, layer.kernel, layer.strides, layer.padding)
        if layer.use_bias:
            y += layer.bias
        return layer.activation(y)

    return call


def conv2d_transpose_form(layer):
    """Return a replacement for the `call` of a built `Conv2DTranspose`, or None if it has none."""
    if not _is_plain(layer):
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
        lengths = [
            count * step + (0 if layer.padding == "same" else max(size - step, 0))
            for count, size, step in zip(counts, sizes, strides, strict=True)
        ]
        places = [-(-length // step) for length, step in zip(lengths, strides, strict=True)]
        pads = [
            [before, place + tap.shape[0] - 1 - count - before]
            for place, count, (tap, before) in zip(places, counts, taps, strict=True)
        ]
        # Even padding is part of the convolution and needs no operation of its own.
        even = all(before == after for before, after in pads) and places == counts
        if not even:
            x = tf.pad(x, [[0, 0], *pads, [0, 0]])
        y = tf.nn.conv2d(x, kernel, 1, "SAME" if even else "VALID")
        y = _spread(y, batch, places, strides, layer.filters)[:, : lengths[0], : lengths[1]]
        if layer.use_bias:
            y = y + layer.bias
        return layer.activation(y)

    return call


def _is_plain(layer):
    return (
        layer.data_format == "channels_last"
        and layer.output_padding is None
        and set(np.atleast_1d(layer.dilation_rate)) == {1}
    )


def axis_taps(size, stride, padding):
    """Return a transposed kernel's taps `(taps, stride)`, -1 for none, and how far back they go."""
    # Input `i` reaches output `stride * i + k - cut` by tap `k`, where `cut` is what the padding
    # removes in front. So output `stride * m + place` is the sum over `d` of the inputs `m - d`
    # times the taps `stride * d + place + cut`.
    cut = max(size - stride, 0) // 2 if padding == "same" else 0
    first, last = -((cut + stride - 1) // stride), (size - 1 - cut) // stride
    steps = np.arange(last, first - 1, -1)
    taps = stride * steps[:, None] + np.arange(stride) + cut
    return np.where((taps >= 0) & (taps < size), taps, -1), last


def plain_kernel(kernel, rows, columns):
    """Arrange `(size, size, outputs, inputs)` as `(taps, taps, inputs, places * outputs)`."""
    # The tap -1 is the appended row and column of zeros.
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
