"""Layer: join chunks of equal length into the original length."""

from typing import Any

import keras

from kerasep import ops
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class JoinChunks(Arguments, keras.layers.Layer):
    """Join the chunks from `SplitChunks`, with a crossfade between overlapping ones.

    Unchanged chunks are restored exactly. With an overlap, changed chunks join without jumps: see
    `kerasep.ops.join_chunks`. Float32 under any policy.

    Args:
        overlap: as in `SplitChunks`. Defaults to 0.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Call arguments:
        chunks: `(batch * chunks, chunk, ...)`.
        like: the original, `(batch, length, ...)`; only its shape is used.

    Output shape:
        `(batch, length, ...)`: batch and length of `like`, the rest of `chunks`.

    Raises:
        InputError: for a negative overlap.

    Example:
    ```python
    import keras
    import numpy as np
    from kerasep.layers import JoinChunks, SplitChunks

    fixed = keras.Sequential([keras.Input((128, 65)), keras.layers.Dense(65)])
    inputs = keras.Input((None, 65))
    outputs = JoinChunks(overlap=32)(fixed(SplitChunks(128, overlap=32)(inputs)), like=inputs)
    model = keras.Model(inputs, outputs)
    assert model(np.zeros((2, 1000, 65), "float32")).shape == (2, 1000, 65)
    ```
    """

    def __init__(self, overlap: int = 0, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        ops.check_chunks(overlap + 1, overlap)

    def call(self, chunks: Tensor, like: Tensor) -> Tensor:
        """Join `(batch * chunks, chunk, ...)`."""
        batch, length = keras.ops.shape(like)[:2]
        chunk = chunks.shape[1]
        ops.check_chunks(chunk, self.overlap)
        count = ops.count_frames(length, chunk, chunk - self.overlap)
        chunks = keras.ops.reshape(chunks, (batch, count, chunk, *chunks.shape[2:]))
        return ops.join_chunks(chunks, self.overlap, length)

    def compute_output_shape(
        self, chunks_shape: tuple[int | None, ...], like_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        """Return the shape of the result."""
        return (*like_shape[:2], *chunks_shape[2:])
