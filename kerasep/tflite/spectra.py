"""Magnitudes and phases in fewer operations: what guards the gradients is of no use in a file."""

import tensorflow as tf

from kerasep.ops.wiener import EPSILON


def magnitude_form(layer):
    """Return a replacement for the `call` of a `kerasep.layers.Magnitude`.

    Args:
        layer: the layer.

    Returns:
        A function of a spectrum `(..., 2)`.
    """
    return _magnitude


def wiener_filter_form(layer):
    """Return a replacement for the `call` of a `kerasep.layers.WienerFilter`.

    Args:
        layer: the layer.

    Returns:
        A function of a spectrum and source magnitudes that gives them the mixture's phase, or None
        for a layer that iterates.
    """
    if layer.iterations:
        return None

    def call(spectrum, source_magnitudes):
        mask = source_magnitudes / tf.maximum(_magnitude(spectrum), EPSILON)[..., None]
        # Runtimes of 2024, iOS' newest stable one among them, refuse the slices that [..., None]
        # becomes in six dimensions.
        return tf.expand_dims(mask, -1) * tf.expand_dims(spectrum, -2)

    return call


def _magnitude(spectrum):
    return tf.sqrt(tf.reduce_sum(tf.square(spectrum), -1))
