"""Layer: gated convolutions along frames, for each band by itself."""

from typing import Any

import keras

from kerasep.errors import InputError
from kerasep.layers.global_layer_normalization import GlobalLayerNormalization
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class ConvolutionModule(Arguments, keras.layers.Layer):
    """Residual blocks of convolutions along frames, which all bands share.

    Each block is a norm, a convolution to `features / compression` with gates (GLU), a depthwise
    convolution, a norm, Swish, and a dense layer back to the input's features. Its output is added
    to its input. The norms share a mean and a variance over frames and features of a band.

    Args:
        blocks: number of blocks. Defaults to 1.
        compression: ratio of the input's features to those inside a block. Defaults to 4.
        kernel_size: frames that a convolution sees. Defaults to 3.
        epsilon: added to the variances of the norms. Defaults to 1e-5.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, frames, bands, features)`.

    Output shape:
        The same.

    Raises:
        InputError: for numbers below 1, or fewer features than `compression`.

    Example:
    >>> import numpy as np
    >>> tuple(ConvolutionModule(blocks=2)(np.zeros((1, 20, 7, 16), "float32")).shape)
    (1, 20, 7, 16)

    Reference:
        Gulati et al. 2020, "Conformer: convolution-augmented transformer for speech recognition";
        in this form in Tong et al. 2024, "SCNet: sparse compression network for music source
        separation".
    """

    def __init__(
        self,
        blocks: int = 1,
        compression: int = 4,
        kernel_size: int = 3,
        epsilon: float = 1e-5,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if min(blocks, compression, kernel_size) < 1:
            raise InputError(
                f"received blocks={blocks}, compression={compression}, kernel_size={kernel_size}, "
                f"expected at least 1 of each"
            )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the layers of each block."""
        features = input_shape[-1]
        hidden = features // self.compression
        if not hidden:
            raise InputError(
                f"received {features} features, expected at least compression={self.compression}"
            )
        same = {"dtype": self.dtype_policy}
        sizes = {"kernel_size": self.kernel_size, "padding": "same", **same}
        self.steps = []
        for index in range(self.blocks):
            steps = (
                (GlobalLayerNormalization(self.epsilon, name=f"norm_{index}", **same), features),
                (keras.layers.Conv1D(2 * hidden, name=f"conv_{index}", **sizes), features),
                (keras.layers.DepthwiseConv1D(name=f"depthwise_{index}", **sizes), hidden),
                (
                    GlobalLayerNormalization(self.epsilon, name=f"hidden_norm_{index}", **same),
                    hidden,
                ),
                (keras.layers.Dense(features, name=f"dense_{index}", **same), hidden),
            )
            for layer, inputs in steps:
                layer.build((None, None, inputs))
            self.steps.append([layer for layer, _ in steps])

    def call(self, x: Tensor) -> Tensor:
        """Run along the frames of `(batch, frames, bands, features)`."""
        x = keras.ops.transpose(x, (0, 2, 1, 3))
        batch, bands, frames, features = keras.ops.shape(x)
        x = keras.ops.reshape(x, (batch * bands, frames, features))
        for norm, conv, depthwise, hidden_norm, dense in self.steps:
            y = depthwise(keras.ops.glu(conv(norm(x))))
            x = x + dense(keras.ops.silu(hidden_norm(y)))
        x = keras.ops.reshape(x, (batch, bands, frames, features))
        return keras.ops.transpose(x, (0, 2, 1, 3))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the input."""
        return input_shape
