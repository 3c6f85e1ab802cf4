"""Mean and deviation of data that come batch by batch."""

from collections.abc import Iterable, Sequence

import keras
import numpy as np

from kerasep.errors import InputError
from kerasep.system.types import Tensor


def running_statistics(
    batches: Iterable[Tensor], axis: int | Sequence[int] | None = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of a dataset, in one pass over it, in float64.

    Batches are merged as they come, so that hours of audio lose no precision, not even far from
    zero.

    Args:
        batches: iterable of tensors of any backend, or NumPy arrays.
        axis: the axis, or axes, whose positions have statistics of their own; None for one mean and
            deviation of everything. Defaults to 2: the bins of a magnitude, the features of
            `(batch, frames, features)`.

    Returns:
        Two float64 NumPy arrays of the kept axes' shape.

    Raises:
        InputError: when there is nothing to count, or the same number throughout; for batches whose
            kept axes differ; for values that are not finite.

    Example:
    >>> import numpy as np
    >>> batches = [np.full((1, 4, 2), 3.0), np.full((3, 4, 2), 5.0)]
    >>> mean, deviation = running_statistics(batches)
    >>> mean.tolist(), np.round(deviation, 3).tolist()
    ([4.5, 4.5], [0.866, 0.866])

    Reference:
        Chan, Golub and LeVeque 1983, "Algorithms for computing the sample variance".
    """
    kept = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
    count, squares = 0, 0.0
    mean: Tensor = None
    for batch in batches:
        batch = keras.ops.convert_to_numpy(batch).astype("float64")
        rest = tuple(set(range(batch.ndim)) - {index % batch.ndim for index in kept})
        size = batch.size // max(1, np.prod([batch.shape[index] for index in kept], dtype=int))
        if size == 0:
            continue
        new_mean = batch.mean(axis=rest)
        if mean is None:
            mean = np.zeros_like(new_mean)
        if new_mean.shape != mean.shape:
            raise InputError(
                f"received batches with {mean.shape} and {new_mean.shape} positions along "
                f"axis={axis}, expected as many in every batch"
            )
        if not np.isfinite(new_mean).all():
            raise InputError(
                "received data with values that are not finite, expected numbers: check the files"
            )
        deviations = batch - np.expand_dims(new_mean, rest)
        delta = new_mean - mean
        total = count + size
        squares = squares + np.square(deviations).sum(axis=rest)
        squares = squares + np.square(delta) * (count * size / total)
        mean = mean + delta * (size / total)
        count = total
    if not np.any(squares):
        raise InputError(
            "received data that is empty or silent throughout, expected audio to take mean and "
            "deviation from: check the files"
        )
    return mean, np.sqrt(squares / count)
