"""Layer: from the Fourier transform of features back to frames."""

from typing import Any

import keras

from kerasep.errors import InputError
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class InverseFeatureFFT(Arguments, keras.layers.Layer):
    """Invert `FeatureFFT` for an even number of frames, in float32 under any policy.

    Imaginary parts of the first and the last frequency have no effect.

    Args:
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, frequencies, bands, 2 * features)`.

    Output shape:
        `(batch, 2 * (frequencies - 1), bands, features)`, float32.

    Raises:
        InputError: for an odd number of features.

    Example:
    >>> import numpy as np
    >>> from kerasep.layers import FeatureFFT
    >>> x = np.random.randn(1, 6, 3, 2).astype("float32")
    >>> y = keras.ops.convert_to_numpy(InverseFeatureFFT()(FeatureFFT()(x)))
    >>> bool(np.abs(y - x).max() < 1e-5)
    True
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Check that there are as many real as imaginary parts."""
        features = input_shape[-1]
        if features is None or features % 2:
            raise InputError(
                f"received {features} features, expected an even number: real and imaginary parts"
            )

    def call(self, x: Tensor) -> Tensor:
        """Transform `(batch, frequencies, bands, 2 * features)`."""
        rows = keras.ops.transpose(keras.ops.cast(x, "float32"), (0, 2, 3, 1))
        real, imag = keras.ops.split(rows, 2, axis=2)
        frames = keras.ops.irfft((real, imag))
        scale = keras.ops.sqrt(keras.ops.cast(keras.ops.shape(frames)[-1], "float32"))
        return keras.ops.transpose(frames * scale, (0, 3, 1, 2))

    def compute_output_spec(self, x: Tensor) -> keras.KerasTensor:
        """Return the shape of the frames."""
        batch, frequencies, bands, parts = x.shape
        frames = None if frequencies is None else 2 * (frequencies - 1)
        return keras.KerasTensor((batch, frames, bands, parts // 2), dtype="float32")
