"""Layer: GRUs over frames or bands, one per group of channels."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from kerasep.errors import InputError
from kerasep.ops import gru
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor

AXES = ("frames", "bands")


@keras.saving.register_keras_serializable("kerasep")
class GroupedGRU(Arguments, keras.layers.Layer):
    """GRUs over the frames of each band, or over the bands of each frame, per group of channels.

    `groups` small GRUs have a share of `1 / groups` of the weights of a large one. All of them, of
    both directions, run in one loop, in float32 under any policy.

    Args:
        units: number of output channels, of all groups and both directions together.
        groups: number of groups. Defaults to 2.
        over: "frames" or "bands". Over frames, the layer is causal unless it is bidirectional.
            Defaults to "frames".
        bidirectional: whether each group also has a GRU backwards. Defaults to False.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, frames, bands, channels)`.

    Output shape:
        `(batch, frames, bands, units)`, float32.

    Raises:
        InputError: for an unknown axis, or channels or units that cannot be divided.

    Example:
    >>> import numpy as np
    >>> x = np.zeros((1, 10, 33, 16), "float32")
    >>> tuple(GroupedGRU(16, over="bands", bidirectional=True)(x).shape)
    (1, 10, 33, 16)

    Reference:
        Rong, Sun, Zhang, Hu, Zhu and Lu 2024, "GTCRN: a speech enhancement model requiring
        ultralow computational resources", ICASSP.
    """

    def __init__(
        self,
        units: int,
        groups: int = 2,
        over: str = "frames",
        bidirectional: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        if over not in AXES:
            raise InputError(f"received over={over!r}, expected one of {', '.join(AXES)}")
        parts = groups * (2 if bidirectional else 1)
        if groups < 1 or units < 1 or units % parts:
            raise InputError(
                f"received units={units} for groups={groups}, bidirectional={bidirectional}, "
                f"expected a multiple of {max(parts, 1)}"
            )
        # Those of the groups, then those that run backwards.
        self.cells = [
            keras.layers.GRUCell(units // parts, dtype=self.dtype_policy, name=f"cell_{index}")
            for index in range(parts)
        ]

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the cells."""
        channels = input_shape[-1]
        if channels % self.groups:
            raise InputError(
                f"received {channels} channels, expected a multiple of groups={self.groups}"
            )
        for cell in self.cells:
            cell.build((None, channels // self.groups))

    def call(self, x: Tensor) -> Tensor:
        """Run over `(batch, frames, bands, channels)`."""
        return self.run(x, gru)

    def run(self, x: Tensor, loop: Callable) -> Tensor:
        """Run `loop`, a function as `kerasep.ops.gru`, with the weights of all cells as one."""
        order = (1, 0, 2, 3) if self.over == "frames" else (2, 0, 1, 3)
        x = ops.transpose(x, order)
        steps, *rows, channels = ops.shape(x)
        x = ops.reshape(x, (steps, -1, channels))
        if self.bidirectional:
            x = ops.concatenate([x, ops.flip(x, axis=0)], axis=-1)
        kernel, recurrent_kernel, bias, recurrent_bias = self._side_by_side()
        projected = ops.matmul(x, kernel) + bias
        start = ops.zeros_like(projected[0, :, : self.units])
        x = loop(projected, recurrent_kernel, recurrent_bias, start)
        if self.bidirectional:
            x, backwards = ops.split(x, 2, axis=-1)
            halves = [ops.split(part, self.groups, -1) for part in (x, ops.flip(backwards, axis=0))]
            parts = [part for pair in zip(*halves, strict=True) for part in pair]
            x = ops.concatenate(parts, axis=-1)
        return ops.transpose(ops.reshape(x, (steps, *rows, self.units)), np.argsort(order).tolist())

    def _side_by_side(self):
        """Return kernels and biases of one cell that computes all cells, each by itself."""
        count, units = len(self.cells), self.cells[0].units
        biases = ops.stack([ops.reshape(cell.bias, (2, 3, units)) for cell in self.cells], axis=2)
        bias, recurrent_bias = ops.unstack(ops.reshape(biases, (2, 3 * count * units)))
        kernel = _diagonal([cell.kernel for cell in self.cells], units)
        recurrent_kernel = _diagonal([cell.recurrent_kernel for cell in self.cells], units)
        return kernel, recurrent_kernel, bias, recurrent_bias

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the result."""
        return (*input_shape[:-1], self.units)


def _diagonal(kernels, units):
    """Arrange kernels `(inputs, 3 * units)` on the diagonal of a large one, gate by gate."""
    count, inputs = len(kernels), kernels[0].shape[0]
    stacked = ops.stack([ops.reshape(kernel, (inputs, 3, 1, units)) for kernel in kernels])
    places = ops.convert_to_tensor(np.eye(count).reshape(count, 1, 1, count, 1), stacked.dtype)
    return ops.reshape(stacked * places, (count * inputs, 3 * count * units))
