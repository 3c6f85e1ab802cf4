"""Layer: one step down a U-Net."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops as kops

from kerasep import ops
from kerasep.errors import InputError
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor

DOWNSAMPLINGS = ("strided", "max", "average")
NORMS = {
    "batch": keras.layers.BatchNormalization,
    "instance": lambda **kwargs: keras.layers.GroupNormalization(groups=-1, **kwargs),
}


def check_block(filters, kernel_size, stride, norm):
    """Validate the arguments of an encoder or decoder block; return the stride as a pair."""
    stride = (stride, stride) if isinstance(stride, int) else tuple(stride)
    if len(stride) != 2 or min(filters, kernel_size, *stride) < 1:
        raise InputError(
            f"received filters={filters}, kernel_size={kernel_size}, stride={stride}, expected "
            f"numbers of at least 1, and one stride or two"
        )
    if norm not in (None, *NORMS):
        raise InputError(f"received norm={norm!r}, expected batch, instance or None")
    return stride


@keras.saving.register_keras_serializable("kerasep")
class EncoderBlock2D(Arguments, keras.layers.Layer):
    """Downsampling, convolution, norm and activation, for spectrograms of any size.

    Frames and bins that are not a multiple of the stride are padded, always at the end, so that the
    output far from the end does not depend on the length. `DecoderBlock2D` crops the padding.
    Pooling comes before the convolution, so with every kind of downsampling the output of a block
    is the skip for the next decoder block. Padding does not count in a pool.

    Args:
        filters: channels of the output.
        kernel_size: of the convolution, for frames and bins. Defaults to 5.
        stride: factor by which frames and bins decrease, a number or a pair. Defaults to 2.
        downsampling: "strided" for a strided convolution, "max" or "average" for a pool of the
            stride's size. Defaults to "strided".
        norm: "batch", "instance" or None. Defaults to "batch".
        activation: function applied after the norm. Defaults to "leaky_relu".
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, frames, bins, channels)`.

    Output shape:
        `(batch, frames / stride, bins / stride, filters)`, both rounded up.

    Raises:
        InputError: for sizes below 1, an unknown downsampling or norm.

    Example:
    >>> import numpy as np
    >>> tuple(EncoderBlock2D(16)(np.zeros((1, 101, 513, 2), "float32")).shape)
    (1, 51, 257, 16)

    Reference:
        Ronneberger, Fischer and Brox 2015, "U-Net"; Jansson et al. 2017, "Singing voice separation
        with deep U-Net convolutional networks".
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int = 5,
        stride: int | tuple[int, int] = 2,
        downsampling: str = "strided",
        norm: str | None = "batch",
        activation: str | Callable | None = "leaky_relu",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.stride = check_block(filters, kernel_size, stride, norm)
        if downsampling not in DOWNSAMPLINGS:
            raise InputError(
                f"received downsampling={downsampling!r}, expected one of "
                f"{', '.join(DOWNSAMPLINGS)}"
            )
        self.activation = keras.activations.get(activation)
        self.conv = keras.layers.Conv2D(
            filters,
            kernel_size,
            strides=self.stride if downsampling == "strided" else 1,
            padding="same",
            data_format="channels_last",
            # A bias before a norm does nothing.
            use_bias=norm is None,
            dtype=self.dtype_policy,
            name="conv",
        )
        self.normalization = NORMS[norm](dtype=self.dtype_policy, name="norm") if norm else None

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the layers inside."""
        self.conv.build(input_shape)
        if self.normalization is not None:
            self.normalization.build(self.compute_output_shape(input_shape))

    def call(self, x: Tensor) -> Tensor:
        """Run over `(batch, frames, bins, channels)`."""
        if self.downsampling == "strided":
            x = ops.pad_to_multiple(x, self.stride)
        else:
            x = _pooled(x, self.stride, self.downsampling)
        x = self.conv(x)
        if self.normalization is not None:
            x = self.normalization(x)
        return self.activation(x)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the result."""
        sizes = [
            None if size is None else -(-size // step)
            for size, step in zip(input_shape[1:3], self.stride, strict=True)
        ]
        return (input_shape[0], *sizes, self.filters)


def _pooled(x, stride, kind):
    """Return the maximum, or the mean, of each `stride` frames and bins, without padding."""
    if kind == "max":
        x = ops.pad_to_multiple(x, stride, value=-float("inf"))
        return kops.max_pool(x, stride, stride, data_format="channels_last")
    padded = ops.pad_to_multiple(x, stride)
    mean = kops.average_pool(padded, stride, stride, data_format="channels_last")
    if padded is x:
        return mean
    there = ops.pad_to_multiple(kops.ones_like(x[:1, :, :, :1]), stride)
    return mean / kops.average_pool(there, stride, stride, data_format="channels_last")
