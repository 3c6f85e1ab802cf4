"""Assignment of estimates to sources: the permutation of lowest cost, and a soft permutation."""

import functools
import itertools

import numpy as np
from keras import ops

from kerasep.errors import InputError
from kerasep.system.types import Tensor

EXHAUSTIVE = 4
MOST = 12


def best_permutation(costs: Tensor) -> Tensor:
    """Return the index of the estimate for each source with the lowest total cost.

    The result is exact, also inside a compiled graph. Up to 4 sources every permutation is tried.
    With more, dynamic programming over sets of estimates (Held and Karp 1962) finds the optimum of
    the Hungarian algorithm in `sources * 2^sources` steps. It handles all sets of one size at once
    and stays inside the graph. No gradient passes through the result.

    Args:
        costs: tensor `(batch, sources, estimates)`, with as many estimates as sources.

    Returns:
        `(batch, sources)`, int32: the index of each source's estimate.

    Raises:
        InputError: if the shape is different, or there are more than 12 sources.

    Example:
    >>> import numpy as np
    >>> np.array(best_permutation(np.array([[[5.0, 1.0], [2.0, 9.0]]]))).tolist()
    [[1, 0]]
    """
    sources = _sources(costs)
    if sources > MOST:
        raise InputError(
            f"received {sources} sources, expected at most {MOST}: for more sources, train with "
            f"kerasep.losses.SinkPIT"
        )
    costs = ops.stop_gradient(ops.cast(costs, "float32"))
    return _exhaustive(costs) if sources <= EXHAUSTIVE else _over_sets(costs)


def sinkhorn(costs: Tensor, sharpness: float = 10.0, iterations: int = 100) -> Tensor:
    """Compute the logarithm of a soft permutation by Sinkhorn's iterations.

    Starts from `-sharpness * costs` and normalises the rows and columns of its exponential in turn,
    so that each sums to 1.

    Args:
        costs: tensor `(batch, sources, estimates)`, with as many estimates as sources.
        sharpness: larger values come closer to `best_permutation`. Defaults to 10.
        iterations: number of passes over the rows and the columns. Defaults to 100.

    Returns:
        `(batch, sources, estimates)`.

    Raises:
        InputError: if the shape is different.

    Example:
    >>> import numpy as np
    >>> np.exp(np.array(sinkhorn(np.array([[[5.0, 1.0], [2.0, 9.0]]])))).round(3)[0, 0].tolist()
    [0.0, 1.0]

    Reference:
        Tachibana 2021, "Towards listening to 10 people simultaneously: an efficient permutation
        invariant training of audio source separation using Sinkhorn's algorithm".
    """
    _sources(costs)

    def normalize(_, plan):
        plan = plan - ops.logsumexp(plan, axis=2, keepdims=True)
        return plan - ops.logsumexp(plan, axis=1, keepdims=True)

    return ops.fori_loop(0, iterations, normalize, -sharpness * ops.cast(costs, "float32"))


def _sources(costs):
    shape = tuple(costs.shape)
    if len(shape) != 3 or shape[1] != shape[2] or shape[1] is None:
        raise InputError(
            f"received costs {shape}, expected (batch, sources, estimates), with as many "
            f"estimates as sources"
        )
    return shape[1]


def _exhaustive(costs):
    sources = costs.shape[1]
    permutations = np.array([*itertools.permutations(range(sources))], "int32")
    flat = ops.reshape(costs, (-1, sources * sources))
    chosen = ops.take(flat, permutations + sources * np.arange(sources, dtype="int32"), axis=1)
    best = ops.argmin(ops.sum(chosen, axis=-1), axis=-1)
    return ops.cast(ops.take(permutations, best, axis=0), "int32")


@functools.cache
def _sets(sources, size):
    """Return all sets of `size` estimates, and the rank of each set without one of its members."""
    members = np.array([*itertools.combinations(range(sources), size)], "int32")
    smaller = itertools.combinations(range(sources), size - 1)
    rank = {members: index for index, members in enumerate(smaller)}
    without = [[rank[(*row[:i], *row[i + 1 :])] for i in range(size)] for row in members.tolist()]
    return members, np.array(without, "int32")


def _over_sets(costs):
    sources = costs.shape[1]
    # best[:, s]: the lowest cost of assigning the estimates of set s to the first sources.
    best = ops.zeros_like(costs[:, :1, 0])
    last = []
    for source in range(sources):
        members, without = _sets(sources, source + 1)
        totals = ops.take(best, without, axis=1) + ops.take(costs[:, source], members, axis=1)
        last.append(ops.argmin(totals, axis=-1))
        best = ops.min(totals, axis=-1)
    order, chosen = [], ops.zeros_like(last[-1])
    for source in reversed(range(sources)):
        members, without = _sets(sources, source + 1)
        position = ops.take_along_axis(last[source], chosen, axis=1)
        flat = chosen * (source + 1) + position
        order.append(ops.take(members.reshape(-1), flat[:, 0], axis=0))
        chosen = ops.take(without.reshape(-1), flat, axis=0)
    return ops.cast(ops.stack(order[::-1], axis=1), "int32")
