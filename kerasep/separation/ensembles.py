"""Several models as one: the weighted mean of their estimates."""

import math
import numbers
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from kerasep.errors import InputError
from kerasep.separation.bands import Band, level_of, reader, stems
from kerasep.separation.chunks import ChunkSeparator


def blended(
    separators: Sequence[ChunkSeparator],
    weights: Sequence[float],
    read: Callable[[], Iterable[np.ndarray]],
    sample_rate: int,
    samples: int,
    band: Band = "full",
) -> Iterator[np.ndarray]:
    """Separate a recording with several separators, and average their stems block by block.

    The mean is taken at the recording's rate: the separators' rates may differ. Sources are matched
    by name.

    Args:
        separators: Chunk separators of the same sources.
        weights: A weight per separator. They sum to one (`normalized` returns such weights).
        read: Function that returns an iterable of the recording's blocks `(n, channels)`. It is
            called once per separator, and once more for one that normalises recordings.
        sample_rate: Of the blocks, in Hz.
        samples: Total number of samples in the blocks.
        band: See `kerasep.separation.bands.stems`. Defaults to "full".

    Yields:
        Successive arrays `(n, channels, sources)` at `sample_rate`, `samples` in all, with the
        sources in the first separator's order.

    Example:
    ```python
    import numpy as np
    from kerasep.separation.chunks import ChunkSeparator
    from kerasep.separation.ensembles import blended

    loud = ChunkSeparator(lambda x: x[..., None], ("voice",), 8000, 1, 4000, 400)
    soft = loud._replace(process=lambda x: 0 * x[..., None], sample_rate=16000)
    read = lambda: [np.ones((9000, 1), "float32")]
    mean = np.concatenate(list(blended([loud, soft], [0.75, 0.25], read, 8000, 9000)))
    assert np.all(mean == 0.75)
    ```
    """
    sources = separators[0].sources
    first, *others = (
        stems(member, read(), sample_rate, samples, band, level_of(member, read(), sample_rate))
        for member in separators
    )
    orders = [[member.sources.index(name) for name in sources] for member in separators[1:]]
    readers = [reader(other) for other in others]
    for block in first:
        mean = weights[0] * block
        for weight, order, next_samples in zip(weights[1:], orders, readers, strict=True):
            mean += weight * next_samples(len(block))[..., order]
        yield mean


def normalized(
    separators: Sequence[ChunkSeparator], weights: Sequence[float] | None = None
) -> list[float]:
    """Validate an ensemble, and return its weights, which sum to one.

    Args:
        separators: The members of the ensemble.
        weights: Relative weight of each. Defaults to equal weights.

    Returns:
        List of weights.

    Raises:
        InputError: There are no separators, their sources differ, the sources of one of several
            come in any order, or the weights do not suit.

    Example:
    >>> halves = ChunkSeparator(lambda x: x[..., None] / 2, ("half",), 8000, 1, 4000, 400)
    >>> normalized([halves, halves], [3, 1])
    [0.75, 0.25]
    """
    if not separators:
        raise InputError("received no model, expected one or more")
    for other in separators[1:]:
        if set(other.sources) != set(separators[0].sources):
            raise InputError(
                f"received models of {', '.join(separators[0].sources)} and of "
                f"{', '.join(other.sources)}, expected the same sources: choose others"
            )
    if len(separators) > 1 and any(member.interchangeable for member in separators):
        raise InputError(
            "received several models, one of whose sources come in any order, expected sources "
            "that can be matched by name: use one model"
        )
    weights = [1] * len(separators) if weights is None else weights
    weights = list(weights) if isinstance(weights, Iterable) else [weights]
    valid = all(isinstance(w, numbers.Real) and 0 <= w < math.inf for w in weights)
    if len(weights) != len(separators) or not valid or sum(weights) == 0:
        count = f"{len(separators)} model{'s' if len(separators) > 1 else ''}"
        raise InputError(
            f"received weights {weights} for {count}, expected one per model, none below 0 and one "
            f"above"
        )
    return [float(weight / sum(weights)) for weight in weights]


def shared_sources(
    separators: ChunkSeparator | list[ChunkSeparator], weights: Sequence[float] | None = None
) -> tuple[str, ...]:
    """Validate a separator, or the list and weights of an ensemble, and return its sources."""
    members = separators if isinstance(separators, list) else [separators]
    normalized(members, weights)
    return members[0].sources
