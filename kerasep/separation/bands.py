"""Separate a stream of blocks at its own sample rate, beyond the band of the model too."""

import collections
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

import numpy as np

from kerasep.errors import InputError, installed_by
from kerasep.separation.chunks import ChunkSeparator, by_channel_groups, crossfaded
from kerasep.separation.levels import Level, measure
from kerasep.system import logs

Band = Literal["full", "model"]

log = logs.logger(__name__)


def check_band(band: str) -> None:
    """Raise InputError for an unknown band."""
    if band not in ("full", "model"):
        raise InputError(f"received band={band!r}, expected full or model")


def stems(
    separator: ChunkSeparator,
    blocks: Iterable[np.ndarray],
    sample_rate: int,
    samples: int,
    band: Band = "full",
    level: Level | None = None,
) -> Iterator[np.ndarray]:
    """Separate a recording block by block.

    If the rates differ, the blocks are resampled to the separator's rate and the results back. What
    the mixture loses on this way is added to `separator.residual`, in phase: stems that add up to
    the mixture at the separator's rate do so at the recording's. Without a residual the stems end
    at half the separator's rate, and the log says so.

    Args:
        separator: A `ChunkSeparator`.
        blocks: Iterable of successive arrays `(n, channels)`.
        sample_rate: Of the blocks, in Hz.
        samples: Total number of samples in the blocks.
        band: "full", or "model" to add nothing to the residual. Defaults to "full".
        level: What `level_of` returns for the recording. Defaults to None: the separator takes the
            recording as it is.

    Yields:
        Successive arrays `(n, channels, sources)` at `sample_rate`, `samples` in all.

    Raises:
        InputError: The band is unknown.

    Example:
    >>> halves = ChunkSeparator(lambda x: x[..., None] / 2, ("half",), 8000, 1, 4000, 400)
    >>> sum(len(block) for block in stems(halves, [np.ones((9000, 1))], 8000, 9000))
    9000
    """
    check_band(band)
    rate, residual = separator.sample_rate, separator.residual
    if rate == sample_rate or band == "model" or residual is None:
        if band == "full" and sample_rate > rate:
            log.warning(
                "the stems of %s end at %g Hz: none of them stands for the rest of the mixture",
                ", ".join(separator.sources),
                rate / 2,
            )
        low = _resampled(blocks, sample_rate, rate)
        yield from _exactly(
            samples, _resampled(_separated(separator, low, level), rate, sample_rate)
        )
        return
    blocks, mixture = _twice(blocks)
    low, within = _twice(_resampled(blocks, sample_rate, rate))
    next_mixture, next_within = reader(mixture), reader(_resampled(within, rate, sample_rate))
    index = separator.sources.index(residual)
    separated = _resampled(_separated(separator, low, level), rate, sample_rate)
    for block in _exactly(samples, separated):
        block[..., index] += next_mixture(len(block)) - next_within(len(block))
        yield block


def level_of(
    separator: ChunkSeparator, blocks: Iterable[np.ndarray], sample_rate: int
) -> Level | None:
    """Measure the level of a recording at the separator's rate, if the separator needs it.

    Args:
        separator: A `ChunkSeparator`.
        blocks: Iterable of successive arrays `(n, channels)`.
        sample_rate: Of the blocks, in Hz.

    Returns:
        A `kerasep.separation.levels.Level`, or None.

    Example:
    >>> halves = ChunkSeparator(lambda x: x[..., None] / 2, ("half",), 8000, 1, 4000, 400)
    >>> level_of(halves._replace(mean_share=1.0), [np.ones((9000, 1))], 8000).mean
    1.0
    """
    if separator.mean_share is None:
        return None
    return measure(_resampled(blocks, sample_rate, separator.sample_rate))


def reader(blocks: Iterable[np.ndarray]) -> Callable[[int], np.ndarray]:
    """Return a function that returns the next n samples of a stream, and zeros after its end."""
    remaining = iter(blocks)
    held = next(remaining)

    def read(samples):
        nonlocal held
        waiting, length = [held], len(held)
        while length < samples:
            block = next(remaining, None)
            if block is None:
                block = np.zeros((samples - length, *held.shape[1:]), held.dtype)
            waiting.append(block)
            length += len(block)
        whole = waiting[0] if len(waiting) == 1 else np.concatenate(waiting)
        held = whole[samples:]
        return whole[:samples]

    return read


def _twice(blocks):
    """Return two iterators over the same blocks; `itertools.tee` would keep up to 57 of them."""
    source, waiting = iter(blocks), (collections.deque(), collections.deque())

    def blocks_of(queue):
        while True:
            if not queue:
                try:
                    block = next(source)
                except StopIteration:
                    return
                for other in waiting:
                    other.append(block)
            yield queue.popleft()

    return blocks_of(waiting[0]), blocks_of(waiting[1])


def _separated(separator, blocks, level):
    """Separate blocks at the separator's own rate."""
    reorder = separator.interchangeable

    def process(waveform):
        return by_channel_groups(separator.process, waveform, separator.channels, reorder)

    if level is not None:
        blocks = ((block - level.mean) / level.deviation for block in blocks)
    results = crossfaded(
        blocks,
        process,
        separator.chunk,
        separator.overlap,
        separator.hop,
        pad=separator.fixed,
        reorder=reorder,
        chunking=separator.chunking,
    )
    if level is None:
        return results
    mean = level.mean * separator.mean_share
    return (result * np.float32(level.deviation) + np.float32(mean) for result in results)


def _exactly(samples, blocks):
    """Cut a stream, or append zeros: resampling there and back rounds the length twice."""
    for block in blocks:
        block = block[:samples]
        samples -= len(block)
        shape = block.shape[1:]
        yield block
    if samples:
        yield np.zeros((samples, *shape), "float32")


def _resampled(blocks, rate, new_rate):
    """Resample a stream of blocks `(n, ...)`, without delay."""
    if rate == new_rate:
        yield from blocks
        return
    with installed_by():
        import soxr

    resampler, samples = None, 0
    for block in blocks:
        shape = block.shape[1:]
        width = int(np.prod(shape))
        if resampler is None:
            resampler = soxr.ResampleStream(rate, new_rate, width, "float32")
        flat = np.ascontiguousarray(block, "float32").reshape(-1, width)
        resampled = resampler.resample_chunk(flat).reshape(-1, *shape)
        samples += len(resampled)
        yield resampled
    rest = resampler.resample_chunk(np.zeros((0, width), "float32"), last=True)
    # Even less than one sample at the new rate becomes one: a recording never disappears.
    rest = rest if samples + len(rest) else np.zeros((1, width), "float32")
    yield rest.reshape(-1, *shape)
