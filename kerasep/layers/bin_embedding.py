"""Layer: a learned vector per bin."""

from typing import Any

import keras

from kerasep.errors import InputError
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class BinEmbedding(Arguments, keras.layers.Layer):
    """Add a learned vector to the features of each bin, so that convolutions know its frequency.

    The vectors change slowly from bin to bin at first: they are sums of normal numbers over all
    bins below, divided by the root of their count.

    Args:
        axis: 1 for bins before frames, 2 for bins after frames. Defaults to 1.
        scale: factor of the vectors. A larger one trains them faster. Defaults to 2.
        initial: initial deviation of the vectors' weights. Defaults to 0.1.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, bins, frames, features)`, or `(batch, frames, bins, features)` with `axis=2`; the
        weight `vectors` has the shape `(bins, features)`.

    Output shape:
        The same.

    Raises:
        InputError: for another axis.

    Example:
    >>> import numpy as np
    >>> x = np.zeros((1, 8, 3, 4), "float32")
    >>> y = np.asarray(BinEmbedding()(x))
    >>> bool(np.all(y[:, :, 0] == y[:, :, 1]) and np.all(y[:, 0] != y[:, 1]))
    True

    Reference:
        Isik et al. 2020, "PoCoNet: better speech enhancement with frequency-positional embeddings,
        semi-supervised conversational data, and biased loss"; the initial values are Demucs'.
    """

    def __init__(
        self, axis: int = 1, scale: float = 2.0, initial: float = 0.1, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if axis not in (1, 2):
            raise InputError(f"received axis={axis}, expected 1 or 2, the axis of the bins")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the vectors."""
        shape = (input_shape[self.axis], input_shape[-1])
        self.vectors = self.add_weight(shape=shape, initializer=self._smooth, name="vectors")

    def _smooth(self, shape, dtype=None):
        steps = keras.initializers.RandomNormal(stddev=self.initial)(shape, dtype=dtype)
        counts = keras.ops.arange(1, shape[0] + 1, dtype=dtype)
        return keras.ops.cumsum(steps, axis=0) / keras.ops.sqrt(counts)[:, None]

    def call(self, x: Tensor) -> Tensor:
        """Add the vectors to the features of each bin."""
        vectors = self.scale * self.vectors
        return x + (vectors[None, :, None] if self.axis == 1 else vectors[None, None])

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the input."""
        return input_shape
