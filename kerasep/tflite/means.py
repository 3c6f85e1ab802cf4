"""Means over many numbers, in steps: TFLite adds one after the other, and loses a bit each time.

The sum of two million numbers, added up in the order in which they lie, is right to five digits;
that of the sums of short rows is right to nearly all that a float32 holds.
"""

import math

import tensorflow as tf

ROW = 256  # numbers that are added up in one go


def mean(x):
    """Take the mean of all but the first axis, in steps.

    Args:
        x: float32 tensor `(batch, ...)` of fixed shape.

    Returns:
        `(batch, 1, ..., 1)`.

    Example:
    >>> mean(tf.constant([[[1.0, 2.0], [3.0, 6.0]]])).numpy().tolist()
    [[[3.0]]]
    """
    batch, *rest = x.shape
    sums = tf.reshape(x, (batch, math.prod(rest)))
    while sums.shape[1] > 1:
        row = min(ROW, sums.shape[1])
        filled = tf.pad(sums, ((0, 0), (0, -sums.shape[1] % row)))
        sums = tf.reduce_sum(tf.reshape(filled, (batch, -1, row)), axis=-1)
    return tf.reshape(sums, (batch, *[1] * len(rest))) / math.prod(rest)


def global_layer_normalization_form(layer):
    """Return a replacement for the `call` of a `GlobalLayerNormalization`.

    Args:
        layer: the layer, built.

    Returns:
        A function with the arguments and results of `layer.call`; shapes that are not fixed go to
        the layer's own.
    """
    original = layer.call

    def call(x):
        if None in x.shape:
            return original(x)
        centred = x - mean(x)
        scaled = centred / tf.sqrt(mean(tf.square(centred)) + layer.epsilon)
        return scaled * layer.gamma + layer.beta

    return call
