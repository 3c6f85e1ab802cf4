"""Split spectrograms or waveforms into chunks of equal length, and join them without a seam."""

import numpy as np
from keras import ops

from kerasep.errors import InputError
from kerasep.ops.framing import frame, overlap_add, pad_to_frames
from kerasep.system.types import Tensor


def check_chunks(chunk: int, overlap: int) -> None:
    """Validate the length and overlap of chunks.

    Args:
        chunk: length of a chunk.
        overlap: length that neighbouring chunks share.

    Raises:
        InputError: if the chunk is below 1, or the overlap is negative or not below the chunk.

    Example:
    >>> check_chunks(128, 64)
    """
    if chunk < 1 or not 0 <= overlap < chunk:
        raise InputError(
            f"received chunk={chunk}, overlap={overlap}, expected a chunk of at least 1 and an "
            f"overlap of at least 0 and below the chunk"
        )


def split_chunks(x: Tensor, chunk: int, overlap: int = 0) -> Tensor:
    """Split the axis after the batch into chunks of equal length, padding the last with zeros.

    Args:
        x: tensor `(batch, length, ...)`. The sizes after the length must be known.
        chunk: length of a chunk.
        overlap: length that neighbouring chunks share. A chunk starts every `chunk - overlap`.
            Defaults to 0.

    Returns:
        Tensor `(batch, chunks, chunk, ...)`, with the fewest chunks that cover the whole length.

    Raises:
        InputError: if the chunk is below 1, or the overlap is negative or not below the chunk.

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
    """Join the chunks of `split_chunks`.

    Overlapping chunks are cross-faded linearly. The weights grow with the distance to the nearer
    end of a chunk, and they sum to one. So unchanged chunks give back the original tensor, and
    chunks that differ are joined without a jump.

    Args:
        chunks: tensor `(batch, chunks, chunk, ...)`.
        overlap: as passed to `split_chunks`. Defaults to 0.
        length: length of the result. Default: up to the end of the last chunk.

    Returns:
        Tensor `(batch, length, ...)`.

    Raises:
        InputError: if the overlap is negative or not below the chunk, or the length exceeds the
            last chunk.

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
    """Reshape `(batch, length, ...)` to `(batch, features, length)`."""
    return ops.transpose(ops.reshape(x, (batch, length, -1)), (0, 2, 1))
