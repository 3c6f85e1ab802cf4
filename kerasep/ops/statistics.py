"""Mean and standard deviation of data that come in batches."""

from collections.abc import Iterable, Sequence

import keras
import numpy as np

from kerasep.errors import InputError
from kerasep.system.types import Tensor


def running_statistics(
    batches: Iterable[Tensor], axis: int | Sequence[int] | None = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Compute the mean and standard deviation of a dataset in one pass, in float64.

    Batches are merged one by one. Hours of audio lose no precision, even if the mean is far from
    zero.

    Args:
        batches: iterable of tensors of any backend, or NumPy arrays.
        axis: axis or axes whose positions have separate statistics. None computes one mean and
            deviation of all values. Defaults to 2, the bins of a magnitude or the features of
            `(batch, frames, features)`.

    Returns:
        Mean and standard deviation, float64 NumPy arrays in the shape of the axes in `axis`.

    Raises:
        InputError: if there are no values, all values are equal, a value is not finite, or the
            sizes along `axis` differ from batch to batch.

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
                f"axis={axis}, expected the same number in every batch"
            )
        if not np.isfinite(new_mean).all():
            raise InputError(
                "received data with values that are not finite, expected finite numbers: check the "
                "files"
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
            "received data that is empty or silent throughout, expected audio that has a mean and "
            "a deviation: check the files"
        )
    return mean, np.sqrt(squares / count)
