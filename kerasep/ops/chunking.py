"""Frames of a spectrogram, or samples, in chunks of equal length, and back without a seam."""

import numpy as np
from keras import ops

from kerasep.errors import InputError
from kerasep.ops.framing import frame, overlap_add, pad_to_frames
from kerasep.system.types import Tensor


def check_chunks(chunk: int, overlap: int) -> None:
    """Refuse chunks that would not move on.

    Args:
        chunk: length of a chunk.
        overlap: what neighbouring chunks share.

    Raises:
        InputError: for a chunk below 1, or an overlap that is negative or not below the chunk.

    Example:
    >>> check_chunks(128, 64)
    """
    if chunk < 1 or not 0 <= overlap < chunk:
        raise InputError(
            f"received chunk={chunk}, overlap={overlap}, expected a chunk of at least 1 and an "
            f"overlap of at least 0 and below the chunk"
        )


def split_chunks(x: Tensor, chunk: int, overlap: int = 0) -> Tensor:
    """Split the axis after the batch into chunks of equal length, the last one filled with zeros.

    Args:
        x: tensor `(batch, length, ...)`; what follows the length is of fixed shape.
        chunk: length of a chunk.
        overlap: what neighbouring chunks share; a chunk starts every `chunk - overlap`.
            Defaults to 0.

    Returns:
        Tensor `(batch, chunks, chunk, ...)`, with as many chunks as it takes to hold everything.

    Raises:
        InputError: for a chunk below 1, or an overlap that is not below it.

    Example:
    >>> import numpy as np
    >>> tuple(split_chunks(np.ones((2, 1000, 513, 1), "float32"), 128).shape)
    (2, 8, 128, 513, 1)
    """
    check_chunks(chunk, overlap)
    rest = x.shape[2:]
    rows = _rows(x, ops.shape(x)[0], ops.shape(x)[1])
    rows = frame(pad_to_frames(rows, chunk, chunk - overlap), chunk, chunk - overlap)
    rows = ops.transpose(rows, (0, 2, 3, 1))
    return ops.reshape(rows, (*ops.shape(rows)[:2], chunk, *rest))


def join_chunks(chunks: Tensor, overlap: int = 0, length: int | Tensor | None = None) -> Tensor:
    """Join what `split_chunks` has split.

    Where chunks overlap, each is weighted by its distance to its own nearer end, so that they are
    faded into each other linearly and the weights sum to one: chunks that fit together come back
    as they were, and chunks that do not make no jump.

    Args:
        chunks: tensor `(batch, chunks, chunk, ...)`.
        overlap: as given to `split_chunks`. Defaults to 0.
        length: what to keep of the result. Default: all of it.

    Returns:
        Tensor `(batch, length, ...)`.

    Raises:
        InputError: for an overlap that is not below the chunk, or a length beyond the last chunk.

    Example:
    ```python
    import numpy as np
    from kerasep import ops

    x = np.random.randn(2, 1000, 5).astype("float32")
    chunks = ops.split_chunks(x, 128, overlap=64)
    np.testing.assert_allclose(ops.join_chunks(chunks, 64, length=1000), x, atol=1e-6)
    ```
    """
    batch, count, chunk = ops.shape(chunks)[:3]
    check_chunks(chunk, overlap)
    rest = chunks.shape[3:]
    hop = chunk - overlap
    reach = (count - 1) * hop + chunk
    if isinstance(length, int) and isinstance(reach, int) and length > reach:
        raise InputError(f"received length={length} for {count} chunks, which reach to {reach}")
    rows = ops.reshape(chunks, (batch, count, chunk, -1))
    rows = ops.transpose(rows, (0, 3, 1, 2))
    if overlap:
        from_end = np.minimum(np.arange(chunk), np.arange(chunk)[::-1]) + 0.5
        weights = ops.convert_to_tensor(np.minimum(from_end / overlap, 1), chunks.dtype)
        total = overlap_add(ops.broadcast_to(weights, (1, 1, count, chunk)), hop)
        rows = overlap_add(rows * weights, hop) / total
    else:
        rows = ops.reshape(rows, (batch, -1, count * chunk))
    joined = ops.transpose(rows, (0, 2, 1))
    joined = joined if length is None else joined[:, :length]
    return ops.reshape(joined, (batch, reach if length is None else length, *rest))


def _rows(x, batch, length):
    """`(batch, length, ...)` as `(batch, features, length)`."""
    return ops.transpose(ops.reshape(x, (batch, length, -1)), (0, 2, 1))
