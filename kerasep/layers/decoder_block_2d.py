"""Layer: one step up a U-Net."""

from collections.abc import Callable
from typing import Any

import keras

from kerasep import ops
from kerasep.errors import InputError
from kerasep.layers.encoder_block_2d import NORMS, check_block
from kerasep.layers.transposed_convolutions import Conv2DTranspose
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class DecoderBlock2D(Arguments, keras.layers.Layer):
    """Transposed convolution, crop to the skip's size, norm, activation, dropout and skip.

    The counterpart of `EncoderBlock2D`. The result has the frames and bins of the skip, so a U-Net
    returns spectrograms of any size at their own size.

    Args:
        filters: channels of the transposed convolution.
        kernel_size: of the transposed convolution. Defaults to 5.
        stride: factor by which frames and bins increase, a number or a pair. Defaults to 2.
        join: "concatenate" or "add" for how the skip joins the result. None uses only its size, as
            in a last block, whose skip is the network's input. Defaults to "concatenate".
        norm: "batch", "instance" or None. Defaults to "batch".
        activation: function applied after the norm. Defaults to "relu".
        dropout: fraction of features set to zero in training. Defaults to 0.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Call arguments:
        x: `(batch, frames / stride, bins / stride, channels)`, both rounded up.
        skip: `(batch, frames, bins, channels)`.

    Output shape:
        `(batch, frames, bins, filters)`, followed by the skip's channels if concatenated.

    Raises:
        InputError: for sizes below 1, an unknown join or norm, dropout outside 0 to 1, or a skip to
            add whose channels are not `filters`.

    Example:
    ```python
    import keras
    from kerasep.layers import DecoderBlock2D, EncoderBlock2D

    spectrogram = keras.Input((None, 513, 2))
    fine = EncoderBlock2D(8)(spectrogram)
    coarse = EncoderBlock2D(16)(fine)
    x = DecoderBlock2D(8)(coarse, fine)
    mask = DecoderBlock2D(2, join=None, norm=None, activation="sigmoid")(x, spectrogram)
    assert mask.shape == (None, None, 513, 2)
    ```

    Reference:
        Ronneberger, Fischer and Brox 2015, "U-Net"; Jansson et al. 2017, "Singing voice separation
        with deep U-Net convolutional networks".
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int = 5,
        stride: int | tuple[int, int] = 2,
        join: str | None = "concatenate",
        norm: str | None = "batch",
        activation: str | Callable | None = "relu",
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.stride = check_block(filters, kernel_size, stride, norm)
        if join not in ("concatenate", "add", None):
            raise InputError(f"received join={join!r}, expected concatenate, add or None")
        if not 0 <= dropout < 1:
            raise InputError(f"received dropout={dropout}, expected 0 to below 1")
        self.activation = keras.activations.get(activation)
        self.conv = Conv2DTranspose(
            filters,
            kernel_size,
            strides=self.stride,
            padding="same",
            data_format="channels_last",
            use_bias=norm is None,
            dtype=self.dtype_policy,
            name="conv",
        )
        self.normalization = NORMS[norm](dtype=self.dtype_policy, name="norm") if norm else None
        self.drop = keras.layers.Dropout(dropout, dtype=self.dtype_policy, name="dropout")

    def build(self, x_shape: tuple[int | None, ...], skip_shape: tuple[int | None, ...]) -> None:
        """Build the layers inside."""
        if self.join == "add" and skip_shape[-1] != self.filters:
            raise InputError(
                f"received a skip of {skip_shape[-1]} channels to add to {self.filters}, expected "
                f"as many: take filters={skip_shape[-1]} or concatenate"
            )
        self.conv.build(x_shape)
        shape = (*skip_shape[:-1], self.filters)
        if self.normalization is not None:
            self.normalization.build(shape)
        self.drop.build(shape)

    def call(self, x: Tensor, skip: Tensor, training: bool | None = None) -> Tensor:
        """Run over `(batch, frames, bins, channels)`."""
        x = ops.crop_like(self.conv(x), skip)
        if self.normalization is not None:
            x = self.normalization(x, training=training)
        x = self.activation(x)
        if self.dropout:
            x = self.drop(x, training=training)
        if self.join == "add":
            return x + skip
        return keras.ops.concatenate([x, skip], axis=-1) if self.join else x

    def compute_output_shape(
        self, x_shape: tuple[int | None, ...], skip_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        """Return the shape of the result."""
        joined = skip_shape[-1] if self.join == "concatenate" else 0
        return (*skip_shape[:-1], self.filters + joined)
