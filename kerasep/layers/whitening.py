"""Layer: normalise by the mean and variance of a whole dataset."""

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from kerasep import ops
from kerasep.errors import InputError
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class Whitening(Arguments, keras.layers.Layer):
    """Normalise by a dataset's mean and standard deviation: `(x - mean) / deviation`.

    `adapt` computes both in one pass over the dataset. Batches are merged in float64, so hours of
    audio lose no precision. Both are saved with the weights and not trained. Before `adapt`, the
    layer is the identity. (`keras.layers.Normalization` merges in the policy's type. `ShiftScale`
    is the trained counterpart.)

    Args:
        axis: the axis, or axes, with one mean and deviation per position. None for one mean and
            deviation in all. Defaults to 2: the bins of `(batch, frames, bins, channels)`, the
            features of `(batch, frames, features)`, the channels of a waveform `(batch, samples,
            channels)`.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        Any, with known sizes along `axis`; weights `mean` and `deviation` have those sizes.

    Output shape:
        Same as the input. Computed in float32, returned in the policy's type.

    Raises:
        InputError: for an axis that the input does not have, or that is the batch's.

    Example:
    >>> import numpy as np
    >>> batches = [100 + np.random.randn(4, 50, 9, 2) for _ in range(8)]
    >>> whitening = Whitening()
    >>> whitening.adapt(batches)
    >>> whitened = np.asarray(whitening(batches[0]))
    >>> bool(abs(whitened.mean()) < 0.1 and abs(whitened.std() - 1) < 0.1)
    True
    """

    def __init__(self, axis: int | list[int] | tuple[int, ...] | None = 2, **kwargs: Any) -> None:
        # No cast of inputs: a type of few bits would lose precision far from zero.
        super().__init__(autocast=False, **kwargs)
        self.axis = axis if axis is None or isinstance(axis, int) else list(axis)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create both weights, initially the identity."""
        rank = len(input_shape)
        kept = [] if self.axis is None else np.ravel(self.axis).tolist()
        if any(not -rank < index < rank or index == 0 for index in kept):
            raise InputError(
                f"received an input of shape {tuple(input_shape)}, expected one with axis "
                f"{self.axis}, other than the first: set axis"
            )
        kept = sorted(index % rank for index in kept)
        shape = tuple(input_shape[index] for index in kept)
        self.aligned = tuple(input_shape[index] if index in kept else 1 for index in range(rank))
        self.mean = self._statistic(shape, "zeros", "mean")
        self.deviation = self._statistic(shape, "ones", "deviation")

    def _statistic(self, shape, initializer, name):
        return self.add_weight(
            shape=shape,
            initializer=initializer,
            trainable=False,
            autocast=False,
            dtype="float32",
            name=name,
        )

    def adapt(self, dataset: Iterable) -> None:
        """Set mean and deviation to those of a dataset.

        Deviations below 1e-4 of the largest are raised to that, so that bins which are silent in
        the dataset are not amplified without limit later.

        Args:
            dataset: iterable of batches, such as a `tf.data.Dataset`, which is iterated once. Of
                tuples `(x, y, ...)`, x counts.

        Raises:
            InputError: if the dataset is empty, or holds a single value, batches of different
                sizes, or values that are not finite.
        """

        def batches():
            for batch in dataset:
                batch = batch[0] if isinstance(batch, tuple | list) else batch
                if not self.built:
                    self.build(tuple(batch.shape))
                yield batch

        mean, deviation = ops.running_statistics(batches(), self.axis)
        if mean.shape != tuple(self.mean.shape):
            raise InputError(
                f"received data with {mean.shape} positions along axis={self.axis}, expected "
                f"{tuple(self.mean.shape)}, as the layer was built for"
            )
        self.mean.assign(mean)
        self.deviation.assign(np.maximum(deviation, 1e-4 * deviation.max()))

    def call(self, x: Tensor) -> Tensor:
        """Whiten an input."""
        x = keras.ops.cast(x, "float32")
        mean = keras.ops.reshape(self.mean, self.aligned)
        deviation = keras.ops.reshape(self.deviation, self.aligned)
        return keras.ops.cast((x - mean) / deviation, self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the result."""
        return input_shape
