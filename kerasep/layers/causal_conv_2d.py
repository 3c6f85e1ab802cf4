"""Layer: convolution over frames so far and neighbouring bands."""

from typing import Any

import keras
import numpy as np
from keras import ops

from kerasep.errors import InputError
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class CausalConv2D(Arguments, keras.layers.Layer):
    """Convolution that looks back in time, and to both sides in frequency.

    Before the first frame and beyond the first and last band are zeros. With `groups` equal to the
    number of channels it is a depthwise convolution.

    A transposed layer multiplies the number of bands by its stride, except that the last band
    stays the last: zeros are put between the bands before a plain convolution. Its kernel is that
    of `torch.nn.ConvTranspose2d` flipped in time and frequency.

    Args:
        filters: number of output channels.
        kernel_size: number of frames and of bands, the latter an odd number.
        stride: distance of the bands that are computed. Defaults to 1.
        dilation: distance of the frames that the kernel sees. Defaults to 1.
        groups: number of groups of channels that do not see each other. Defaults to 1.
        transposed: whether the stride multiplies the number of bands. Defaults to False.
        use_bias: whether to add a bias. Defaults to True.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, frames, bands, channels)`.

    Output shape:
        `(batch, frames, (bands - 1) // stride + 1, filters)`, or
        `(batch, frames, (bands - 1) * stride + 1, filters)` for a transposed layer.

    Raises:
        InputError: for arguments below 1, an even number of bands in the kernel, or channels or
            filters that cannot be divided into the groups.

    Example:
    >>> import numpy as np
    >>> x = np.zeros((1, 10, 33, 8), "float32")
    >>> tuple(CausalConv2D(16, (3, 5), stride=2, groups=2)(x).shape)
    (1, 10, 17, 16)
    >>> tuple(CausalConv2D(16, (3, 5), stride=2, transposed=True)(x).shape)
    (1, 10, 65, 16)

    Reference:
        Tan and Wang 2018, "A convolutional recurrent neural network for real-time speech
        enhancement", Interspeech.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: tuple[int, int],
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        transposed: bool = False,
        use_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        frames, bands = kernel_size
        if min(filters, frames, bands, stride, dilation, groups) < 1 or bands % 2 == 0:
            raise InputError(
                f"received filters={filters}, kernel_size={kernel_size}, stride={stride}, "
                f"dilation={dilation}, groups={groups}, expected at least 1 of each, and a kernel "
                f"of an odd number of bands"
            )
        self.past = (frames - 1) * dilation

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the weights."""
        channels = input_shape[-1]
        if channels % self.groups or self.filters % self.groups:
            raise InputError(
                f"received {channels} channels and {self.filters} filters, expected multiples of "
                f"groups={self.groups}"
            )
        self.depthwise = channels == self.filters == self.groups
        self.kernel = self.add_weight(
            shape=(*self.kernel_size, channels // self.groups, self.filters), name="kernel"
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def call(self, x: Tensor) -> Tensor:
        """Convolve `(batch, frames, bands, channels)`."""
        return self.convolve(ops.pad(x, [[0, 0], [self.past, 0], [0, 0], [0, 0]]))

    def convolve(self, x: Tensor) -> Tensor:
        """Convolve frames of which the first `past` only lie before the output's first one."""
        if self.transposed and self.stride > 1:
            x = _spread(x, self.stride)
        reach = self.kernel_size[1] // 2
        step = 1 if self.transposed else self.stride
        fill = -x.shape[2] % step if self.depthwise else 0
        if reach or fill:
            x = ops.pad(x, [[0, 0], [0, 0], [reach, reach + fill], [0, 0]])
        x = self._depthwise(x, step) if self.depthwise else self._grouped(x, step)
        return x if self.bias is None else x + self.bias

    def _grouped(self, x, step):
        """Convolve with one kernel for all groups: small convolutions cost more than its zeros."""
        kernel = self.kernel if self.groups == 1 else self._side_by_side()
        if step == 1:
            return ops.conv(x, kernel, 1, "valid", "channels_last", (self.dilation, 1))
        return ops.conv(x, kernel, (1, step), "valid", "channels_last")

    def _side_by_side(self):
        """Return the kernel `(frames, bands, channels, filters)`, zero between the groups."""
        group = np.repeat(np.arange(self.groups), self.filters // self.groups)
        same = np.arange(self.groups)[:, None, None] == group
        kernel = self.kernel[:, :, None] * ops.convert_to_tensor(same, self.kernel.dtype)
        return ops.reshape(kernel, (*self.kernel_size, -1, self.filters))

    def _depthwise(self, x, step):
        """Convolve each channel, frame of the kernel by frame if these lie apart."""
        kernel = ops.transpose(self.kernel, (0, 1, 3, 2))
        if self.dilation == 1:
            y = ops.depthwise_conv(x, kernel, 1, "valid", "channels_last")
        else:
            frames = ops.shape(x)[1] - self.past
            y = sum(
                ops.depthwise_conv(
                    x[:, tap * self.dilation : tap * self.dilation + frames],
                    kernel[tap : tap + 1],
                    1,
                    "valid",
                    "channels_last",
                )
                for tap in range(self.kernel_size[0])
            )
        if step == 1:
            return y
        # TensorFlow has no depthwise convolution of unequal strides, and TFLite's are slow.
        frames, (bands, channels) = ops.shape(y)[1], y.shape[2:]
        return ops.reshape(y, (-1, frames, bands // step, step * channels))[..., :channels]

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[int | None, ...]:
        """Return the shape of the result."""
        last = input_shape[2] - 1
        bands = last * self.stride + 1 if self.transposed else last // self.stride + 1
        return (*input_shape[:2], bands, self.filters)


def _spread(x, stride):
    """Put zeros between the bands."""
    frames, (bands, channels) = ops.shape(x)[1], x.shape[2:]
    x = ops.pad(x[:, :, :, None], [[0, 0], [0, 0], [0, 0], [0, stride - 1], [0, 0]])
    return ops.reshape(x, (-1, frames, bands * stride, channels))[:, :, : (bands - 1) * stride + 1]
