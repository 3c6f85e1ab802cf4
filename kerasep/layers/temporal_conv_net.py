"""Layer: a stack of dilated convolutions over frames."""

from typing import Any

import keras

from kerasep.errors import InputError
from kerasep.layers.cumulative_layer_normalization import CumulativeLayerNormalization
from kerasep.layers.global_layer_normalization import GlobalLayerNormalization
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor

# The epsilons are those of PyTorch's layers, whose weights are imported.
NORMS = {
    "global": GlobalLayerNormalization,
    "cumulative": CumulativeLayerNormalization,
    "layer": lambda **kwargs: keras.layers.LayerNormalization(epsilon=1e-8, **kwargs),
    "batch": lambda **kwargs: keras.layers.BatchNormalization(epsilon=1e-5, momentum=0.9, **kwargs),
}


@keras.saving.register_keras_serializable("kerasep")
class TemporalConvNet(Arguments, keras.layers.Layer):
    """Temporal convolution network: the separator of Conv-TasNet, up to its masks.

    The features are normalised and pass a 1x1 convolution, the bottleneck. Then follow `repeats`
    times `blocks` blocks. Each is a 1x1 convolution, a PReLU, a norm, a depthwise convolution with
    dilation `2^block`, a PReLU and a norm. One 1x1 convolution of the result is added to the
    block's input, and another is its share of the output. The receptive field is
    `1 + repeats * (kernel_size - 1) * (2^blocks - 1)` frames, for any number of channels.

    For masks, append a PReLU and a `MaskHead`. The last block has no 1x1 convolution to a next
    block; asteroid's has one and never uses it.

    Args:
        blocks: blocks per repeat; the dilation starts from 1 in each repeat. Defaults to 8.
        repeats: number of repeats. Defaults to 3.
        bottleneck: channels between blocks. Defaults to 128.
        hidden: channels inside a block. Defaults to 512.
        skip: channels of the output, which is a sum over all blocks. With 0 the output is that of
            the last block. Defaults to 128.
        kernel_size: frames of a depthwise convolution's kernel, odd unless causal. Defaults to 3.
        norm: "global" (gLN, sees all frames), "cumulative" (cLN, the frames up to the current one),
            "layer" (each frame alone; asteroid calls it "cLN") or "batch". Defaults to "global", or
            to "cumulative" if causal.
        causal: whether the output depends on no later frames. Defaults to False.
        input_norm: norm of the features, before the bottleneck. Defaults to `norm`.
        use_bias: whether convolutions have biases. Defaults to True.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, frames, features)`.

    Output shape:
        `(batch, frames, skip)`, or `(batch, frames, bottleneck)` without skip.

    Raises:
        InputError: for sizes below 1, an unknown norm, an even kernel that is not causal, or a
            causal network with the global norm.

    Example:
    >>> import numpy as np
    >>> network = TemporalConvNet(blocks=4, repeats=2, bottleneck=16, hidden=32, skip=24)
    >>> tuple(network(np.zeros((1, 100, 64), "float32")).shape)
    (1, 100, 24)

    Reference:
        Luo and Mesgarani 2019, "Conv-TasNet: Surpassing ideal time-frequency magnitude masking for
        speech separation", section II.C.
    """

    def __init__(
        self,
        blocks: int = 8,
        repeats: int = 3,
        bottleneck: int = 128,
        hidden: int = 512,
        skip: int = 128,
        kernel_size: int = 3,
        norm: str | None = None,
        causal: bool = False,
        input_norm: str | None = None,
        use_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if min(blocks, repeats, bottleneck, hidden, kernel_size, skip + 1) < 1:
            raise InputError(
                f"received blocks={blocks}, repeats={repeats}, bottleneck={bottleneck}, "
                f"hidden={hidden}, skip={skip}, kernel_size={kernel_size}, expected at least 1 of "
                f"each (0 for skip)"
            )
        for argument, kind in (("norm", norm), ("input_norm", input_norm)):
            if kind not in (None, *NORMS):
                raise InputError(
                    f"received {argument}={kind!r}, expected one of {', '.join(NORMS)}"
                )
            if causal and kind == "global":
                raise InputError(
                    f"received {argument}='global' for a causal network, expected cumulative, "
                    f"layer or batch: the global norm sees the frames to come"
                )
        if kernel_size % 2 == 0 and not causal:
            raise InputError(
                f"received kernel_size={kernel_size}, expected an odd number of frames, or a "
                f"causal network"
            )
        kind = norm or ("cumulative" if causal else "global")
        self.input_norm = NORMS[input_norm or kind](dtype=self.dtype_policy, name="norm")
        self.input_conv = keras.layers.Dense(
            bottleneck, use_bias=use_bias, dtype=self.dtype_policy, name="bottleneck"
        )
        count = blocks * repeats
        self.stack = [
            _Block(
                0 if skip and index == count - 1 else bottleneck,
                hidden,
                skip,
                kernel_size,
                2 ** (index % blocks),
                kind,
                causal,
                use_bias,
                dtype=self.dtype_policy,
                name=f"block_{index}",
            )
            for index in range(count)
        ]

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the layers inside."""
        self.input_norm.build(input_shape)
        self.input_conv.build(input_shape)
        for block in self.stack:
            block.build((*input_shape[:-1], self.bottleneck))

    def call(self, x: Tensor) -> Tensor:
        """Run over `(batch, frames, features)`."""
        x = self.input_conv(self.input_norm(x))
        total = 0
        for block in self.stack:
            x, part = block(x)
            total = total + part
        return total if self.skip else x

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the result."""
        return (*input_shape[:-1], self.skip or self.bottleneck)


class _Block(keras.layers.Layer):
    """One block: from x to `(x + residual, skip)`; parts without channels are left out."""

    def __init__(
        self, residual, hidden, skip, kernel_size, dilation, norm, causal, use_bias, **kwargs
    ):
        super().__init__(**kwargs)
        same = {"dtype": self.dtype_policy}
        conv = {"use_bias": use_bias, **same}
        self.ahead = (kernel_size - 1) * dilation if causal else 0
        self.conv = keras.layers.Dense(hidden, name="conv", **conv)
        self.depthwise = _Depthwise(
            kernel_size,
            padding="valid" if causal else "same",
            dilation_rate=dilation,
            data_format="channels_last",
            name="depthwise",
            **conv,
        )
        self.prelus = [
            keras.layers.PReLU(
                keras.initializers.Constant(0.25), shared_axes=[1, 2], name=f"prelu_{index}", **same
            )
            for index in range(2)
        ]
        self.norms = [NORMS[norm](name=f"norm_{index}", **same) for index in range(2)]
        self.residual = keras.layers.Dense(residual, name="residual", **conv) if residual else None
        self.skip = keras.layers.Dense(skip, name="skip", **conv) if skip else None

    def build(self, input_shape):
        self.conv.build(input_shape)
        shape = self.conv.compute_output_shape(input_shape)
        after = [*self.prelus, *self.norms, self.depthwise, self.residual, self.skip]
        for layer in after:
            if layer is not None:
                layer.build(shape)

    def call(self, x):
        y = self.norms[0](self.prelus[0](self.conv(x)))
        if self.ahead:
            y = keras.ops.pad(y, [[0, 0], [self.ahead, 0], [0, 0]])
        y = self.norms[1](self.prelus[1](self.depthwise(y)))
        return (
            x if self.residual is None else x + self.residual(y),
            0 if self.skip is None else self.skip(y),
        )


class _Depthwise(keras.layers.DepthwiseConv1D):
    """Keras' layer; a sum of products on JAX, as XLA takes ten times as long for the layer."""

    def call(self, x):
        if keras.backend.backend() != "jax":
            return super().call(x)
        (dilation,), (size,) = self.dilation_rate, self.kernel_size
        span = (size - 1) * dilation
        if self.padding == "same":
            x = keras.ops.pad(x, [[0, 0], [span // 2, span - span // 2], [0, 0]])
        frames = x.shape[1] - span
        total = sum(
            x[:, tap * dilation : tap * dilation + frames] * self.kernel[tap, :, 0]
            for tap in range(size)
        )
        return total + self.bias if self.use_bias else total
