"""Layer: spectrograms or waveforms in chunks of equal length."""

import keras

from kerasep import ops
from kerasep.system.arguments import Arguments


@keras.saving.register_keras_serializable("kerasep")
class SplitChunks(Arguments, keras.layers.Layer):
    """Split what is of any length into chunks of equal length, for a model that needs a fixed one.

    The chunks go into the batch, the last one filled with zeros; `JoinChunks` undoes it. Float32
    under any policy. For chunks on an axis of their own, as dual-path networks take them, see
    `kerasep.ops.split_chunks`.

    Args:
        chunk: frames or samples in a chunk.
        overlap: what neighbouring chunks share. Defaults to 0.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, length, ...)`.

    Output shape:
        `(batch * chunks, chunk, ...)`, the chunks of an example next to each other.

    Raises:
        InputError: for a chunk below 1, or an overlap that is not below it.

    Example:
    >>> import numpy as np
    >>> tuple(SplitChunks(128)(np.zeros((2, 1000, 513, 1), "float32")).shape)
    (16, 128, 513, 1)
    """

    def __init__(self, chunk, overlap=0, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        ops.check_chunks(chunk, overlap)

    def call(self, x):
        """Split `(batch, length, ...)`."""
        chunks = ops.split_chunks(x, self.chunk, self.overlap)
        return keras.ops.reshape(chunks, (-1, self.chunk, *x.shape[2:]))

    def compute_output_shape(self, input_shape):
        """Shape of the chunks."""
        batch, length = input_shape[:2]
        if batch is not None:
            hop = self.chunk - self.overlap
            batch = None if length is None else batch * ops.count_frames(length, self.chunk, hop)
        return (batch, self.chunk, *input_shape[2:])
