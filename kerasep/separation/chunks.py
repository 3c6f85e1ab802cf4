"""Apply a process for short signals to signals of any length and channel count."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from kerasep.data.audio.samples import as_floats
from kerasep.errors import InputError
from kerasep.separation.chunking import KERASEP, Chunking
from kerasep.separation.extension import extended

CHUNK_SECONDS = 30.0
OVERLAP_SECONDS = 4.0


class ChunkSeparator(NamedTuple):
    """A function that separates one chunk, and how recordings are cut into chunks for it.

    Attributes:
        process: Function of `(groups, samples, channels)` that returns
            `(groups, samples, channels, sources)`.
        sources: Tuple of source names.
        sample_rate: In Hz.
        channels: How many channels `process` takes.
        chunk: Samples passed to `process` at once.
        overlap: Samples that neighbouring chunks share.
        hop: Chunks start at multiples of this. Defaults to 1.
        fixed: Whether `process` takes no chunk shorter than `chunk`. Defaults to False.
        interchangeable: Whether `process` may return the sources of each chunk in another order.
            They are then put into one order. Defaults to False.
        residual: Name of the source that stands for the rest of the mixture. It gets what lies
            outside the band of `sample_rate`. Defaults to None: the sources are not the whole
            mixture.
        chunking: How recordings are cut and results joined. Defaults to kerasep's own way.
        mean_share: Recordings are normalised for `process` by mean and deviation of their mono mix,
            and this share of the mean is added to each source. Defaults to None: they are not.
    """

    process: Callable
    sources: tuple
    sample_rate: int
    channels: int
    chunk: int
    overlap: int
    hop: int = 1
    fixed: bool = False
    interchangeable: bool = False
    residual: str | None = None
    chunking: Chunking = KERASEP
    mean_share: float | None = None


def crossfaded(
    blocks: Iterable[np.ndarray],
    process: Callable[[np.ndarray], np.ndarray],
    chunk: int,
    overlap: int,
    hop: int = 1,
    pad: bool = False,
    reorder: bool = False,
    chunking: Chunking = KERASEP,
) -> Iterator[np.ndarray]:
    """Apply a process of limited length to a signal of any length.

    Chunks of `chunk` samples start every `chunk - overlap` samples, and their results are averaged
    with the weights of `chunking`. By default, each outer quarter of an overlap is taken from the
    chunk in which it lies further inside, since a process cannot see beyond the ends of a chunk. In
    the middle half, the two chunks are cross-faded linearly. A process that reaches no further than
    `overlap / 4` samples then gives the same result as on the whole signal at once.

    Args:
        blocks: Iterable of successive arrays `(n, channels)`, which may differ in length.
        process: Function of an array `(n, channels)` that returns `(n, channels, sources)`.
        chunk: Samples passed to `process` at once, rounded up to a multiple of `hop`. A signal no
            longer than this is processed in one call.
        overlap: Samples that neighbouring chunks share, by default at most half a chunk. Rounded up
            likewise.
        hop: Chunks start at multiples of this. Defaults to 1.
        pad: Whether to repeat a chunk that is too short up to `chunk` samples and to cut the
            result, for a process of fixed length. Defaults to False.
        reorder: Whether to put the sources of each chunk into the order that agrees best with the
            chunk before, for a process that returns them in any order. Defaults to False.
        chunking: How the signal is cut and the results joined. Defaults to kerasep's own way.

    Returns:
        Iterator of successive float32 arrays `(m, channels, sources)`, as soon as they are final.
        Together they are as long as the input.

    Raises:
        InputError: The chunk, overlap or hop is out of range, or the process changes the length.

    Example:
    ```python
    import numpy as np
    from kerasep.separation.chunks import crossfaded

    signal = np.random.randn(1000, 2).astype("float32")
    halves = crossfaded([signal], lambda x: np.stack([x / 2, x / 2], -1), chunk=128, overlap=32)
    assert np.array_equal(np.concatenate(list(halves)).sum(-1), signal)
    ```
    """
    chunk, overlap = _rounded(chunk, overlap, hop, chunking)

    def separated(before, piece):
        filled, start = piece, 0
        if len(piece) < chunk:
            filled, start = chunking.fill(before, piece, chunk, hop)
        result = _processed(filled, process, chunk if pad else len(filled))
        return result[start : start + len(piece)]

    def run(stream):
        return _joined(stream, separated, chunk, overlap, chunking, reorder)

    ends = chunking.ends(chunk, chunk - overlap)
    return run(blocks) if ends is None else extended(blocks, ends, run)


def best_order(reference: np.ndarray, estimate: np.ndarray) -> list[int]:
    """Return the order of an estimate's sources that comes nearest to a reference.

    It minimises the squared difference summed over everything. Among equally good orders, as in
    silence, the first one wins, beginning with the estimate's own.

    Args:
        reference: Array `(..., sources)`.
        estimate: Array of the same shape.

    Returns:
        List of indices into the estimate's sources.

    Example:
    >>> import numpy as np
    >>> sources = np.random.default_rng(0).standard_normal((100, 3))
    >>> best_order(sources, sources[:, [2, 0, 1]])
    [1, 2, 0]
    """
    count = reference.shape[-1]
    products = reference.reshape(-1, count).T @ estimate.reshape(-1, count)

    def agreement(order):
        return sum(products[index, source] for index, source in enumerate(order))

    return list(max(itertools.permutations(range(count)), key=agreement))


def by_channel_groups(
    process: Callable[[np.ndarray], np.ndarray],
    waveform: np.ndarray,
    channels: int,
    reorder: bool = False,
) -> np.ndarray:
    """Apply a process of a fixed channel count to a signal with any number of channels.

    Args:
        process: Function of `(groups, samples, channels)` that returns
            `(groups, samples, channels, sources)`.
        waveform: Array `(samples, any channels)`.
        channels: How many channels `process` takes. The last group repeats its last channel.
        reorder: Whether to put the sources of each group into the order that agrees best with the
            first group's. Defaults to False.

    Returns:
        Array `(samples, any channels, sources)`.

    Example:
    >>> import numpy as np
    >>> by_channel_groups(lambda x: x[..., None], np.ones((4, 3)), channels=2).shape
    (4, 3, 1)
    """
    samples, count = waveform.shape
    groups = -(-count // channels)
    indices = np.minimum(np.arange(groups * channels), count - 1)
    batch = waveform[:, indices].reshape(samples, groups, channels).transpose(1, 0, 2)
    results = np.asarray(process(batch))
    if reorder:
        results = np.stack([group[..., best_order(results[0], group)] for group in results])
    separated = results.transpose(1, 0, 2, 3)
    return separated.reshape(samples, groups * channels, -1)[:, :count]


def check_waveform(audio: np.ndarray) -> np.ndarray:
    """Validate the waveform of a recording.

    Args:
        audio: Array `(samples, channels)` or `(samples,)`.

    Returns:
        Float32 array `(samples, channels)`.

    Raises:
        InputError: The array holds integers or numbers that are not finite, has another rank, or
            no samples.

    Example:
    >>> check_waveform([0.0, 0.5, 1.0]).shape
    (3, 1)
    """
    waveform = as_floats(audio)
    if waveform.ndim == 1:
        waveform = waveform[:, None]
    if waveform.ndim != 2 or waveform.size == 0:
        raise InputError(
            f"received audio of shape {waveform.shape}, expected (samples, channels) with at "
            f"least one sample"
        )
    if waveform.shape[1] > waveform.shape[0]:
        raise InputError(
            f"received audio of shape {waveform.shape}, expected (samples, channels): transpose it"
        )
    if not np.isfinite(waveform).all():
        raise InputError("received audio with NaN or infinite samples, expected finite ones")
    return waveform


def _rounded(chunk, overlap, hop, chunking):
    """Validate chunk and overlap, and round them up to multiples of the hop, as far as allowed."""
    if hop < 1 or chunk < 1 or overlap < 0:
        raise InputError(
            f"received chunk={chunk}, overlap={overlap}, hop={hop}, expected a chunk and a hop of "
            f"at least one sample and an overlap of at least none"
        )
    chunk = -(-chunk // hop) * hop
    limit = chunk - hop if chunking.to_the_end else chunk // 2
    if overlap > limit:
        most = "less than a chunk" if chunking.to_the_end else "at most half a chunk"
        raise InputError(
            f"received an overlap of {overlap} samples between chunks of {chunk}, expected {most}: "
            f"make the chunks longer or the overlap shorter"
        )
    return chunk, min(-(-overlap // hop), limit // hop) * hop


def _joined(blocks, separated, chunk, overlap, chunking, reorder):
    """Yield the weighted mean of all chunks, as far as no further chunk reaches."""
    step, mean, total, latest = chunk - overlap, None, None, None
    for before, piece, final in _pieces(blocks, chunk, step, chunking.to_the_end):
        result, weights = separated(before, piece), chunking.window(len(piece), chunk, overlap)
        if mean is not None:
            shared = len(mean)
            if reorder:
                result = result[..., best_order(latest[step:], result[:shared])]
            total = total + weights[:shared]
            share = np.divide(weights[:shared], total, out=np.ones(shared), where=total > 0)
            share = share.astype("float32").reshape(-1, *[1] * (result.ndim - 1))
            # This form returns equal values unchanged, and a chunk that counts alone, to the last
            # bit: runtimes in other languages compute the same.
            joint = np.where(share < 1, mean + (result[:shared] - mean) * share, result[:shared])
            weights = np.concatenate([total, weights[shared:]])
            mean = np.concatenate([joint, result[shared:]])
        else:
            mean = result
        if final:
            yield mean
        else:
            yield mean[:step]
            mean, total, latest = mean[step:].copy(), weights[step:], result


def _pieces(blocks, chunk, step, to_the_end):
    """Yield (what lies before a chunk, its samples, whether it is the last)."""
    waiting, length, before = [], 0, None
    for block in blocks:
        block = np.asarray(block, "float32")
        if len(block) == 0:
            continue
        before = block[:0] if before is None else before
        waiting.append(block)
        length += len(block)
        # A chunk is known not to be the last one only when there is a sample beyond it.
        while length > chunk:
            held = waiting[0] if len(waiting) == 1 else np.concatenate(waiting)
            yield before, held[:chunk], False
            before = np.concatenate([before, held[:step]])[-chunk:]
            waiting, length = [held[step:]], length - step
    while length > 0:
        held = waiting[0] if len(waiting) == 1 else np.concatenate(waiting)
        final = not to_the_end or length <= step
        yield before, held, final
        before = np.concatenate([before, held[:step]])[-chunk:]
        waiting, length = [held[step:]], 0 if final else length - step


def _processed(piece, process, length):
    """Process one chunk, repeated up to `length` samples, and cut the result."""
    # Silence behind it would change what the chunk is normalised by. Its reflection is speech
    # backwards, which models have not heard: they swapped two voices midway.
    repeated = piece if len(piece) == length else np.resize(piece, (length, *piece.shape[1:]))
    result = np.asarray(process(repeated), "float32")
    if len(result) != length:
        raise InputError(
            f"received {len(result)} samples from a process given {length}, expected as many"
        )
    return result[: len(piece)]
