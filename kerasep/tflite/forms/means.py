"""Global layer normalisation whose means TFLite computes to float32 precision.

TFLite adds numbers one after the other: a sum of two million is right to five digits. The sum of
the sums of short rows is right to nearly all digits of a float32.
"""

import math

import tensorflow as tf

ROW = 256  # numbers that are added in one operation


def mean(x):
    """Compute the mean over all axes but the first, row by row: `(batch, 1, ..., 1)`."""
    batch, *rest = x.shape
    sums = tf.reshape(x, (batch, math.prod(rest)))
    while sums.shape[1] > 1:
        row = min(ROW, sums.shape[1])
        filled = tf.pad(sums, ((0, 0), (0, -sums.shape[1] % row)))
        sums = tf.reduce_sum(tf.reshape(filled, (batch, -1, row)), axis=-1)
    return tf.reshape(sums, (batch, *[1] * len(rest))) / math.prod(rest)


def global_layer_normalization_form(layer):
    """Return a replacement for the `call` of a built `GlobalLayerNormalization`."""
    original = layer.call

    def call(x):
        if None in x.shape:
            return original(x)
        centred = x - mean(x)
        scaled = centred / tf.sqrt(mean(tf.square(centred)) + layer.epsilon)
        return scaled * layer.gamma + layer.beta

    return call
