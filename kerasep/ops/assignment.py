"""Which estimate belongs to which source: the permutation of least cost, and its soft relative."""

import functools
import itertools

import numpy as np
from keras import ops

from kerasep.errors import InputError
from kerasep.system.types import Tensor

EXHAUSTIVE = 4
MOST = 12


def best_permutation(costs: Tensor) -> Tensor:
    """The estimate for each source that makes the summed cost least; exact, in a graph as well.

    Up to 4 sources every permutation is tried. Above, dynamic programming over the sets of
    estimates in use finds the same optimum as the Hungarian algorithm in `sources * 2^sources`
    steps, all sets of one size at once (Held and Karp 1962), with neither a loop of unknown length
    nor a call out of the graph. No gradient passes.

    Args:
        costs: tensor `(batch, sources, estimates)`, as many estimates as sources.

    Returns:
        `(batch, sources)`, int32: the index of each source's estimate.

    Raises:
        InputError: for another shape, or more than 12 sources.

    Example:
    >>> import numpy as np
    >>> np.array(best_permutation(np.array([[[5.0, 1.0], [2.0, 9.0]]]))).tolist()
    [[1, 0]]
    """
    sources = _sources(costs)
    if sources > MOST:
        raise InputError(
            f"received {sources} sources, expected at most {MOST}: for more, match them softly "
            f"with kerasep.losses.SinkPIT"
        )
    costs = ops.stop_gradient(ops.cast(costs, "float32"))
    return _exhaustive(costs) if sources <= EXHAUSTIVE else _over_sets(costs)


def sinkhorn(costs: Tensor, sharpness: float = 10.0, iterations: int = 100) -> Tensor:
    """Logarithm of a soft permutation, by Sinkhorn's iterations.

    Starts from `-sharpness * costs`; makes rows and columns of the exponential sum to 1 in turn.

    Args:
        costs: tensor `(batch, sources, estimates)`, as many estimates as sources.
        sharpness: the larger, the closer to `best_permutation`. Defaults to 10.
        iterations: each is one pass over the rows and one over the columns. Defaults to 100.

    Returns:
        `(batch, sources, estimates)`.

    Raises:
        InputError: for another shape.

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
            f"received costs {shape}, expected (batch, sources, estimates), as many of both"
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
    """Sets of `size` estimates: for each which its members are, and its rank less each of them."""
    members = np.array([*itertools.combinations(range(sources), size)], "int32")
    smaller = itertools.combinations(range(sources), size - 1)
    rank = {members: index for index, members in enumerate(smaller)}
    without = [[rank[(*row[:i], *row[i + 1 :])] for i in range(size)] for row in members.tolist()]
    return members, np.array(without, "int32")


def _over_sets(costs):
    sources = costs.shape[1]
    # best[:, s]: the least cost of giving the first sources the estimates of set s.
    best = ops.zeros_like(costs[:, :1, 0])
    last = []
    for source in range(sources):
        members, without = _sets(sources, source + 1)
        each = ops.take(best, without, axis=1) + ops.take(costs[:, source], members, axis=1)
        last.append(ops.argmin(each, axis=-1))
        best = ops.min(each, axis=-1)
    order, chosen = [], ops.zeros_like(last[-1])
    for source in reversed(range(sources)):
        members, without = _sets(sources, source + 1)
        position = ops.take_along_axis(last[source], chosen, axis=1)
        flat = chosen * (source + 1) + position
        order.append(ops.take(members.reshape(-1), flat[:, 0], axis=0))
        chosen = ops.take(without.reshape(-1), flat, axis=0)
    return ops.cast(ops.stack(order[::-1], axis=1), "int32")
