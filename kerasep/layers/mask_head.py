"""Layer: from features to a mask for each source."""

from typing import Any

import keras

from kerasep.errors import InputError
from kerasep.layers.head import _Head


@keras.saving.register_keras_serializable("kerasep")
class MaskHead(_Head):
    """Dense layer that maps features to one mask value per bin and source.

    The dense layer's `bins * channels * sources` outputs are reshaped, in that order of axes, and
    pass through the activation, in float32 under any policy.

    Args:
        bins: frequency bins of the masks.
        channels: number of channels of the masks.
        sources: number of sources.
        activation: "sigmoid" for masks from 0 to 1; "softmax" for masks that sum to one over the
            sources; "tanh" for -1 to 1; "relu", "leaky_relu" (slope 0.2 below zero, Keras'
            default) or "prelu" (one learned slope, at first 0.25) for masks without an upper bound,
            which can restore what cancelled out in the mixture; "linear" or any other name in
            `keras.activations`. Defaults to "sigmoid".
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, frames, features)`.

    Output shape:
        Masks `(batch, frames, bins, channels, sources)`.

    Raises:
        InputError: for sizes below 1, an unknown activation, a softmax over one source (it would be
            1 everywhere), or an input without three axes.

    Example:
    >>> import numpy as np
    >>> masks = MaskHead(129, channels=2, sources=3, activation="softmax")(np.ones((1, 7, 20)))
    >>> tuple(masks.shape)
    (1, 7, 129, 2, 3)
    >>> bool(np.allclose(keras.ops.convert_to_numpy(masks).sum(axis=-1), 1))
    True

    Reference:
        Wang and Chen 2018, "Supervised speech separation based on deep learning: an overview".
    """

    def __init__(
        self, bins: int, channels: int, sources: int, activation: str = "sigmoid", **kwargs: Any
    ) -> None:
        super().__init__(bins, channels, sources, activation, **kwargs)
        if activation == "softmax" and sources == 1:
            raise InputError(
                "received a softmax over one source, expected two sources or more: take sigmoid"
            )
