"""Layer: channels of all groups in turn."""

from typing import Any

import keras
from keras import ops

from kerasep.errors import InputError
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class ChannelShuffle(Arguments, keras.layers.Layer):
    """Interleave groups of channels, so that the next grouped layer sees channels of each group.

    Args:
        groups: number of groups. Defaults to 2.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, frames, bands, channels)`.

    Output shape:
        The same.

    Raises:
        InputError: if the channels cannot be divided into the groups.

    Example:
    >>> import numpy as np
    >>> x = np.arange(6.0, dtype="float32").reshape(1, 1, 1, 6)
    >>> np.asarray(ChannelShuffle(2)(x)).ravel().tolist()
    [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]

    Reference:
        Zhang, Zhou, Lin and Sun 2018, "ShuffleNet: an extremely efficient convolutional neural
        network for mobile devices", CVPR.
    """

    def __init__(self, groups: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if groups < 1:
            raise InputError(f"received groups={groups}, expected at least 1")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Validate the number of channels."""
        if input_shape[-1] % self.groups:
            raise InputError(
                f"received {input_shape[-1]} channels, expected a multiple of groups={self.groups}"
            )

    def call(self, x: Tensor) -> Tensor:
        """Interleave the groups of `(batch, frames, bands, channels)`."""
        frames, (bands, channels) = ops.shape(x)[1], x.shape[2:]
        # TFLite transposes ten times as fast as it stacks.
        x = ops.reshape(x, (-1, frames, bands, self.groups, channels // self.groups))
        return ops.reshape(ops.swapaxes(x, 3, 4), (-1, frames, bands, channels))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the result."""
        return input_shape
