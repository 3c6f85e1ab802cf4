"""Mean and deviation of a whole recording, by which some models want it normalised."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

_LEAST = 1e-8  # added to the deviation, for silence


class Level(NamedTuple):
    """Mean and deviation of a recording's mono mix."""

    mean: float
    deviation: float


def measure(blocks: Iterable[np.ndarray]) -> Level:
    """Compute the mean and the unbiased deviation of the mean over channels, in float64.

    Args:
        blocks: Iterable of successive arrays `(n, channels)`.

    Returns:
        A `Level`, whose deviation is above 0.

    Example:
    >>> measure([np.array([[0.0, 2.0], [2.0, 4.0]]), np.array([[5.0, 5.0]])]).mean
    3.0
    """
    count, mean, squares = 0, 0.0, 0.0
    for block in blocks:
        if len(block) == 0:
            continue
        mono = np.mean(block, axis=1, dtype="float64")
        change = mono.mean() - mean
        total = count + len(mono)
        # Chan, Golub and LeVeque 1983: sums of squares about two means, merged.
        squares += np.square(mono - mono.mean()).sum() + change**2 * count * len(mono) / total
        mean += change * len(mono) / total
        count = total
    return Level(float(mean), float(np.sqrt(squares / max(count - 1, 1))) + _LEAST)
