"""A stream with more samples at both ends while it is processed."""

import itertools
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from kerasep.separation.chunking import Ends


def extended(
    blocks: Iterable[np.ndarray],
    ends: Ends,
    run: Callable[[Iterable[np.ndarray]], Iterator[np.ndarray]],
) -> Iterator[np.ndarray]:
    """Extend a stream at both ends, process it, and remove as much from the result.

    Args:
        blocks: Iterable of successive arrays `(n, ...)`.
        ends: What to add.
        run: Function of an iterable of blocks that returns an iterator of results, as long in all.
            It must not return more samples than it has read.

    Yields:
        Successive results, as long in all as the blocks.

    Example:
    >>> double = lambda stream: (2 * block for block in stream)
    >>> ends = Ends(1, lambda head: head[:1] + 7, lambda tail, samples: tail[:1])
    >>> list(extended([np.array([1]), np.array([2, 3])], ends, double))
    [array([2, 4, 6])]
    """
    stream, samples = iter(blocks), 0
    first: list[np.ndarray] = []
    while samples <= ends.needed:
        block = next(stream, None)
        if block is None:
            yield from run(first)
            return
        first.append(block)
        samples += len(block)
    head = np.concatenate(first)
    front = ends.before(head)
    read, ended = 0, False

    def longer():
        nonlocal read, ended
        yield front
        tail = head[:0]
        for block in itertools.chain([head], stream):
            read += len(block)
            tail = np.concatenate([tail, block])[-ends.needed - 1 :]
            yield block
        ended = True
        yield ends.after(tail, read)

    returned = -len(front)
    for result in run(longer()):
        part = result[max(-returned, 0) : read - returned]
        returned += len(result)
        if len(part):
            yield part
        # Further chunks would lie behind the end.
        if ended and returned >= read:
            return
