"""Layer: split spectrograms or waveforms into chunks of equal length."""

from typing import Any

import keras

from kerasep import ops
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class SplitChunks(Arguments, keras.layers.Layer):
    """Split inputs of any length into chunks, for a model that needs a fixed length.

    The chunks go into the batch, and the last one is padded with zeros. `JoinChunks` undoes it.
    Float32 under any policy. For chunks on their own axis, as dual-path networks need them, see
    `kerasep.ops.split_chunks`.

    Args:
        chunk: frames or samples in a chunk.
        overlap: frames or samples that neighbouring chunks share. Defaults to 0.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, length, ...)`.

    Output shape:
        `(batch * chunks, chunk, ...)`, with the chunks of an example next to each other.

    Raises:
        InputError: for a chunk below 1, or an overlap that is not below it.

    Example:
    >>> import numpy as np
    >>> tuple(SplitChunks(128)(np.zeros((2, 1000, 513, 1), "float32")).shape)
    (16, 128, 513, 1)
    """

    def __init__(self, chunk: int, overlap: int = 0, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        ops.check_chunks(chunk, overlap)

    def call(self, x: Tensor) -> Tensor:
        """Split `(batch, length, ...)`."""
        chunks = ops.split_chunks(x, self.chunk, self.overlap)
        return keras.ops.reshape(chunks, (-1, self.chunk, *x.shape[2:]))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the chunks."""
        batch, length = input_shape[:2]
        if batch is not None:
            hop = self.chunk - self.overlap
            batch = None if length is None else batch * ops.count_frames(length, self.chunk, hop)
        return (batch, self.chunk, *input_shape[2:])
