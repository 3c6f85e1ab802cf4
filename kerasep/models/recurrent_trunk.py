"""What mask inference, deep clustering, Chimera and deep attractor networks begin with."""

from keras import layers as kl

from kerasep import ops
from kerasep.layers import Decibels, RecurrentStack


def recurrent_trunk(magnitude, window, units, lstm_layers, bidirectional, dropout):
    """Features of each frame: the magnitude in dB, one batch norm over all bins, LSTM layers.

    All below -80 dB is the same.

    Args:
        magnitude: Keras input `(batch, frames, bins, channels)`.
        window: analysis window of its transform, for 0 dB to be full scale; None for 0 dB to be a
            magnitude of 1.
        units: units of each direction of an LSTM layer.
        lstm_layers: number of LSTM layers.
        bidirectional: False makes the features causal.
        dropout: between LSTM layers.

    Returns:
        Keras tensor `(batch, frames, units)`, or `2 * units` when bidirectional.

    Raises:
        InputError: for sizes below 1, or dropout outside 0 to 1.

    Example:
    >>> import keras
    >>> recurrent_trunk(keras.Input((None, 129, 1)), "hann", 300, 4, True, 0.3).shape
    (None, None, 600)
    """
    bins, channels = magnitude.shape[2:]
    reference = 1.0 if window is None else float(ops.window(window, 2 * (bins - 1)).sum())
    x = Decibels(reference, name="decibels")(magnitude)
    # A single feature: loud and soft bins, and channels, keep their relation.
    x = kl.Reshape((-1, bins * channels, 1), name="one_feature")(x)
    x = kl.BatchNormalization(momentum=0.9, epsilon=1e-5, name="normalization", dtype="float32")(x)
    x = kl.Reshape((-1, bins * channels), name="features")(x)
    return RecurrentStack(units, lstm_layers, bidirectional, dropout, name="recurrent")(x)
