"""Overlapping chunks of dual-path networks, which are summed up again instead of cross-faded."""

from keras import ops

from kerasep.errors import InputError
from kerasep.system.types import Tensor


def check_folding(chunk: int, hop: int) -> None:
    """Validate the length and hop of chunks.

    Args:
        chunk: frames in a chunk.
        hop: frames from one chunk's start to the next.

    Raises:
        InputError: if the chunk is below 1, or the hop is below 1 or above the chunk.

    Example:
    >>> check_folding(100, 50)
    """
    if chunk < 1 or not 1 <= hop <= chunk:
        raise InputError(
            f"received chunk={chunk}, hop={hop}, expected a chunk of at least 1 and a hop from 1 "
            f"to the chunk"
        )


def unfold(x: Tensor, chunk: int, hop: int) -> Tensor:
    """Cut a sequence into overlapping chunks, after padding it by one chunk of zeros at each end.

    Unlike `split_chunks`, every frame is in the same number of chunks, as in the dual-path RNN
    paper. Chunks that would reach beyond the zeros at the end are omitted.

    Args:
        x: tensor `(batch, frames, features)`.
        chunk: frames in a chunk.
        hop: frames from one chunk's start to the next.

    Returns:
        Tensor `(batch, chunks, chunk, features)`, with `1 + (frames + chunk) // hop` chunks.

    Raises:
        InputError: if the chunk is below 1, or the hop is below 1 or above the chunk.

    Example:
    >>> import numpy as np
    >>> tuple(unfold(np.ones((2, 10, 3), "float32"), 4, 2).shape)
    (2, 8, 4, 3)
    """
    check_folding(chunk, hop)
    batch, frames, features = ops.shape(x)
    count = 1 + (frames + chunk) // hop
    pieces = -(-chunk // hop)
    rows = (count + pieces - 1) * hop
    # If the hop does not divide the chunk, the last hop of a chunk may reach beyond the zeros.
    x = ops.pad(x, [[0, 0], [chunk, pieces * hop], [0, 0]])[:, :rows]
    x = ops.reshape(x, (batch, count + pieces - 1, hop, features))
    shifted = [x[:, index : index + count] for index in range(pieces)]
    return ops.concatenate(shifted, axis=2)[:, :, :chunk]


def fold(chunks: Tensor, hop: int, frames: int | Tensor) -> Tensor:
    """Sum overlapping chunks, as the adjoint of `unfold`.

    Args:
        chunks: tensor `(batch, chunks, chunk, features)`.
        hop: as passed to `unfold`.
        frames: length of the sequence that was unfolded.

    Returns:
        Tensor `(batch, frames, features)`.

    Example:
    >>> import numpy as np
    >>> x = np.ones((2, 10, 3), "float32")
    >>> float(fold(unfold(x, 4, 2), 2, 10)[0, 5, 0])  # each frame is in two chunks
    2.0
    """
    batch, count, chunk, features = ops.shape(chunks)
    pieces = -(-chunk // hop)
    if pieces * hop > chunk:
        chunks = ops.pad(chunks, [[0, 0], [0, 0], [0, pieces * hop - chunk], [0, 0]])
    chunks = ops.reshape(chunks, (batch, count, pieces, hop, features))
    total = sum(
        ops.pad(chunks[:, :, index], [[0, 0], [index, pieces - 1 - index], [0, 0], [0, 0]])
        for index in range(pieces)
    )
    total = ops.reshape(total, (batch, (count + pieces - 1) * hop, features))
    return total[:, chunk : chunk + frames]
