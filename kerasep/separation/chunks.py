"""Signals of any length and channel count through a process of limited ones, in flat memory."""

import itertools

import numpy as np

from kerasep.data.audio.samples import as_floats
from kerasep.errors import InputError


def crossfaded(blocks, process, chunk, overlap, hop=1, pad=False, reorder=False):
    """Apply a process of limited length to a signal of any length.

    Chunks of `chunk` samples start every `chunk - overlap` samples. The ends of a chunk's result
    suffer from what the process could not see beyond them. So of the samples that two neighbours
    share, the outer quarters are taken from the chunk that has them further inside, and the two
    are faded into each other, linearly, over the middle half only. A process that reaches no
    further than `overlap / 4` samples gives the same result as on the whole signal at once.

    Args:
        blocks: iterable of successive arrays `(n, channels)`; they may differ in length.
        process: function of an array `(n, channels)` that returns `(n, channels, sources)`.
        chunk: samples given to `process` at once; rounded up to a multiple of `hop`. A signal no
            longer than this is processed in one call.
        overlap: samples that neighbouring chunks share, at most half a chunk; rounded up likewise.
        hop: chunks start at multiples of this. Defaults to 1.
        pad: whether a chunk that is too short is repeated up to `chunk` samples and its result
            cut, for a process of fixed length. Defaults to False.
        reorder: whether the sources of each chunk are put into the order in which they agree best
            with the chunk before, for a process that gives them in any. Defaults to False.

    Yields:
        Successive arrays `(m, channels, sources)`, float32, as soon as they are final; together
        they are as long as the input.

    Raises:
        InputError: for a chunk, overlap or hop out of range, or a process that changes the length.

    Example:
    ```python
    import numpy as np
    from kerasep.separation.chunks import crossfaded

    signal = np.random.randn(1000, 2).astype("float32")
    halves = crossfaded([signal], lambda x: np.stack([x / 2, x / 2], -1), chunk=128, overlap=32)
    assert np.array_equal(np.concatenate(list(halves)).sum(-1), signal)
    ```
    """
    chunk, overlap = _rounded(chunk, overlap, hop)
    step = chunk - overlap
    first, last = overlap // 4, overlap - overlap // 4
    rise = (np.arange(last - first, dtype="float32") + 0.5) / max(last - first, 1)
    tail = shared = None
    for piece, early, final in _pieces(blocks, chunk, step, hop):
        result = _processed(piece, process, chunk if pad else len(piece))[early:]
        if tail is not None:
            if reorder:
                result = result[..., best_order(shared, result[:overlap])]
            weights = rise.reshape(-1, *[1] * (result.ndim - 1))
            # This form returns equal values unchanged, to the last bit.
            joint = tail + (result[first:last] - tail) * weights
            result = np.concatenate([joint, result[last:]])
        begun = 0 if tail is None else first
        if final:
            yield result
        else:
            yield result[: step + first - begun]
            tail = result[step + first - begun : step + last - begun].copy()
            shared = result[step - begun :]


def best_order(reference, estimate):
    """Find the order of an estimate's sources in which it comes nearest to a reference.

    That is where the squared difference, summed over all, is least; where several orders are as
    good, as in silence, the first of them, which is the estimate's own where that is one.

    Args:
        reference: array `(..., sources)`.
        estimate: array of the same shape.

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
        return sum(products[index, taken] for index, taken in enumerate(order))

    return list(max(itertools.permutations(range(count)), key=agreement))


def by_channel_groups(process, waveform, channels, reorder=False):
    """Apply a process of a fixed channel count to a signal of any.

    Args:
        process: function of `(groups, samples, channels)` that returns
            `(groups, samples, channels, sources)`.
        waveform: array `(samples, any channels)`.
        channels: how many `process` takes; the last group is filled up with its last channel.
        reorder: whether the sources of each group are put into the order in which they agree best
            with the first group's. Defaults to False.

    Returns:
        Array `(samples, any channels, sources)`.

    Example:
    >>> import numpy as np
    >>> by_channel_groups(lambda x: x[..., None], np.ones((4, 3)), channels=2).shape
    (4, 3, 1)
    """
    samples, count = waveform.shape
    groups = -(-count // channels)
    taken = np.minimum(np.arange(groups * channels), count - 1)
    batch = waveform[:, taken].reshape(samples, groups, channels).transpose(1, 0, 2)
    results = np.asarray(process(batch))
    if reorder:
        results = np.stack([group[..., best_order(results[0], group)] for group in results])
    separated = results.transpose(1, 0, 2, 3)
    return separated.reshape(samples, groups * channels, -1)[:, :count]


def check_waveform(audio):
    """Refuse an array that is no recording.

    Args:
        audio: array `(samples, channels)` or `(samples,)`.

    Returns:
        Float32 array `(samples, channels)`.

    Raises:
        InputError: for integers, another rank, no samples, or numbers that are not finite.

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


def _rounded(chunk, overlap, hop):
    """Round both up to multiples of the hop, and check them."""
    if hop < 1 or chunk < 1 or overlap < 0:
        raise InputError(
            f"received chunk={chunk}, overlap={overlap}, hop={hop}, expected a chunk and a hop of "
            f"at least one sample and an overlap of at least none"
        )
    chunk, overlap = (-(-length // hop) * hop for length in (chunk, overlap))
    if overlap > chunk // 2:
        raise InputError(
            f"received an overlap of {overlap} samples between chunks of {chunk}, expected at "
            f"most half a chunk: make the chunks longer or the overlap shorter"
        )
    return chunk, overlap


def _pieces(blocks, chunk, step, hop):
    """Yield (samples of one chunk, how many it starts early, whether it is the last).

    The last chunk starts early enough to be a whole one but for less than a hop, where the signal
    is that long: so its samples have as much before them as all others.
    """
    waiting, length, before = [], 0, []
    for block in blocks:
        block = np.asarray(block, "float32")
        if len(block) == 0:
            continue
        waiting.append(block)
        length += len(block)
        # A chunk is known not to be the last one only when there is a sample beyond it.
        while length > chunk:
            held = waiting[0] if len(waiting) == 1 else np.concatenate(waiting)
            yield held[:chunk], 0, False
            before = [held[:step]]
            waiting, length = [held[step:]], length - step
    if length:
        early = (chunk - length) // hop * hop if before else 0
        yield np.concatenate([part[step - early :] for part in before] + waiting), early, True


def _processed(piece, process, length):
    """Process one chunk, repeated up to `length` samples, and cut the result."""
    # Silence behind it changes what the whole chunk is normalised by. Nor has a model heard speech
    # backwards: behind 4 s of two voices, 2 s of their reflection made it swap them midway.
    given = piece if len(piece) == length else np.resize(piece, (length, *piece.shape[1:]))
    result = np.asarray(process(given), "float32")
    if len(result) != length:
        raise InputError(
            f"received {len(result)} samples from a process given {length}, expected as many"
        )
    return result[: len(piece)]
