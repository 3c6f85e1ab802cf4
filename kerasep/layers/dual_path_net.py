"""Layer: recurrent layers along and across chunks."""

from typing import Any

import keras

from kerasep import ops
from kerasep.errors import InputError
from kerasep.layers.recurrent_stack import RecurrentStack
from kerasep.layers.temporal_conv_net import NORMS
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class DualPathNet(Arguments, keras.layers.Layer):
    """Dual-path recurrent network (DPRNN): the separator for very long sequences, up to its masks.

    The features are normalised, pass a bottleneck, and are split into half-overlapping chunks. Each
    block runs one LSTM along every chunk, then one across the chunks, at each position in them. The
    output of each path passes a dense layer and a norm and is added to the path's input. So an LSTM
    runs only over `chunk` frames, or over the number of chunks, and the block still sees
    everything. A PReLU and a dense layer follow, and overlapping chunks are summed.

    Args:
        outputs: number of output features.
        chunk: frames in a chunk; best near the square root of twice the number of frames. Defaults
            to 100.
        hop: frames between chunks. Defaults to half a chunk.
        blocks: number of pairs of paths. Defaults to 6.
        bottleneck: features between blocks. Defaults to 128.
        hidden: units of each direction of an LSTM. Defaults to 128.
        norm: "global" (gLN, sees all frames), "layer" (each frame alone) or "batch". Defaults to
            "global".
        bidirectional: whether the LSTMs across chunks run in both directions; those along chunks
            always do. Defaults to True.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, frames, features)`.

    Output shape:
        `(batch, frames, outputs)`.

    Raises:
        InputError: for sizes below 1, or an unknown norm.

    Example:
    >>> import numpy as np
    >>> network = DualPathNet(24, chunk=10, blocks=2, bottleneck=16, hidden=8)
    >>> tuple(network(np.zeros((1, 95, 64), "float32")).shape)
    (1, 95, 24)

    Reference:
        Luo, Chen and Yoshioka 2020, "Dual-path RNN: efficient long sequence modeling for
        time-domain single-channel speech separation".
    """

    def __init__(
        self,
        outputs: int,
        chunk: int = 100,
        hop: int | None = None,
        blocks: int = 6,
        bottleneck: int = 128,
        hidden: int = 128,
        norm: str = "global",
        bidirectional: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        hop = chunk // 2 if hop is None else hop
        ops.check_folding(chunk, hop)
        if min(outputs, blocks, bottleneck, hidden) < 1:
            raise InputError(
                f"received outputs={outputs}, blocks={blocks}, bottleneck={bottleneck}, "
                f"hidden={hidden}, expected at least 1 of each"
            )
        kinds = [kind for kind in NORMS if kind != "cumulative"]
        if norm not in kinds:
            raise InputError(f"received norm={norm!r}, expected one of {', '.join(kinds)}")
        self.hop = hop
        same = {"dtype": self.dtype_policy}
        self.input_norm = NORMS[norm](name="norm", **same)
        self.input_dense = keras.layers.Dense(bottleneck, name="bottleneck", **same)
        self.paths = []
        for index in range(blocks):
            for way, both in (("intra", True), ("inter", bidirectional)):
                name = f"{way}_{index}"
                self.paths.append(_Path(bottleneck, hidden, both, norm, name=name, **same))
        self.prelu = keras.layers.PReLU(
            keras.initializers.Constant(0.25), shared_axes=[1, 2, 3], name="prelu", **same
        )
        self.output_dense = keras.layers.Dense(outputs, name="outputs", **same)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build the layers one by one."""
        self.input_norm.build(input_shape)
        self.input_dense.build(input_shape)
        shape = (None, None, self.chunk, self.bottleneck)
        for layer in (*self.paths, self.prelu, self.output_dense):
            layer.build(shape)

    def call(self, x: Tensor) -> Tensor:
        """Run over `(batch, frames, features)`."""
        frames = keras.ops.shape(x)[1]
        x = self.input_dense(self.input_norm(x))
        x = ops.unfold(x, self.chunk, self.hop)
        for path in self.paths:
            # The paths alternate between the two axes of the chunks.
            x = keras.ops.transpose(path(x), (0, 2, 1, 3))
        return ops.fold(self.output_dense(self.prelu(x)), self.hop, frames)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the result."""
        return (*input_shape[:-1], self.outputs)


class _Path(keras.layers.Layer):
    """LSTM along the third axis of `(batch, rows, steps, features)`, added to its input."""

    def __init__(self, features, hidden, bidirectional, norm, **kwargs):
        super().__init__(**kwargs)
        same = {"dtype": self.dtype_policy}
        self.features = features
        self.lstm = RecurrentStack(hidden, bidirectional=bidirectional, name="lstm", **same)
        self.dense = keras.layers.Dense(features, name="dense", **same)
        self.norm = NORMS[norm](name="norm", **same)

    def build(self, input_shape):
        self.lstm.build((None, *input_shape[2:]))
        width = self.lstm.units * (2 if self.lstm.bidirectional else 1)
        self.dense.build((None, None, width))
        self.norm.build(input_shape)

    def call(self, x):
        batch, rows, steps, _ = keras.ops.shape(x)
        y = keras.ops.reshape(x, (batch * rows, steps, self.features))
        y = self.dense(self.lstm(y))
        return x + self.norm(keras.ops.reshape(y, (batch, rows, steps, self.features)))
