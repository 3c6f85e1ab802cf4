"""Layer: neighbouring bands as further channels."""

from typing import Any

import keras
from keras import ops

from kerasep.errors import InputError
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class SubbandFeatures(Arguments, keras.layers.Layer):
    """Append the neighbouring bands of each band as channels, with zeros beyond the edges.

    A convolution of kernel size 1 then sees a few bands at the price of one. The channels of the
    result are ordered by input channel, then by band from low to high.

    Args:
        size: number of neighbouring bands with the band itself, an odd number. Defaults to 3.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, frames, bands, channels)`.

    Output shape:
        `(batch, frames, bands, channels * size)`.

    Raises:
        InputError: if `size` is not odd.

    Example:
    >>> import numpy as np
    >>> x = np.array([1.0, 2.0, 3.0], "float32").reshape(1, 1, 3, 1)
    >>> np.asarray(SubbandFeatures(3)(x))[0, 0].tolist()
    [[0.0, 1.0, 2.0], [1.0, 2.0, 3.0], [2.0, 3.0, 0.0]]

    Reference:
        Rong, Sun, Zhang, Hu, Zhu and Lu 2024, "GTCRN: a speech enhancement model requiring
        ultralow computational resources", ICASSP.
    """

    def __init__(self, size: int = 3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if size < 1 or size % 2 == 0:
            raise InputError(f"received size={size}, expected an odd number of bands")

    def call(self, x: Tensor) -> Tensor:
        """Append channels to `(batch, frames, bands, channels)`."""
        bands, reach = x.shape[2], self.size // 2
        x = ops.pad(x, [[0, 0], [0, 0], [reach, reach], [0, 0]])
        shifted = [x[:, :, shift : shift + bands] for shift in range(self.size)]
        frames = ops.shape(x)[1]
        return ops.reshape(ops.stack(shifted, axis=-1), (-1, frames, bands, x.shape[3] * self.size))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the result."""
        return (*input_shape[:-1], input_shape[-1] * self.size)
