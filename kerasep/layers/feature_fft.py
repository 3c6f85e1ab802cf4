"""Layer: the Fourier transform of features along frames."""

from typing import Any

import keras

from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class FeatureFFT(Arguments, keras.layers.Layer):
    """Transform every feature of a real map along the frames, in float32 under any policy.

    `X[k] = sum_t x[t] exp(-2 pi i k t / frames) / sqrt(frames)`. Real parts come first on the last
    axis, then imaginary parts. What follows sees how features change over the whole sequence.
    `InverseFeatureFFT` inverts the transform of an even number of frames.

    Args:
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, frames, bands, features)`.

    Output shape:
        `(batch, frames // 2 + 1, bands, 2 * features)`, float32.

    Example:
    >>> import numpy as np
    >>> FeatureFFT()(np.ones((1, 4, 1, 1), "float32"))[0, :, 0].numpy().round(3).tolist()
    [[2.0, 0.0], [0.0, 0.0], [0.0, 0.0]]

    Reference:
        Tong et al. 2024, "SCNet: sparse compression network for music source separation".
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, x: Tensor) -> Tensor:
        """Transform `(batch, frames, bands, features)`."""
        rows = keras.ops.transpose(keras.ops.cast(x, "float32"), (0, 2, 3, 1))
        scale = keras.ops.sqrt(keras.ops.cast(keras.ops.shape(rows)[-1], "float32"))
        parts = (keras.ops.transpose(part / scale, (0, 3, 1, 2)) for part in keras.ops.rfft(rows))
        return keras.ops.concatenate([*parts], axis=-1)

    def compute_output_spec(self, x: Tensor) -> keras.KerasTensor:
        """Return the shape of the transform."""
        batch, frames, bands, features = x.shape
        frequencies = None if frames is None else frames // 2 + 1
        return keras.KerasTensor((batch, frequencies, bands, 2 * features), dtype="float32")
