"""Layer: sources from the batch axis to an axis of their own."""

import keras
from keras import ops

from kerasep.errors import InputError
from kerasep.system.arguments import Arguments


@keras.saving.register_keras_serializable("kerasep")
class UnfoldSources(Arguments, keras.layers.Layer):
    """Take sources that lie next to each other in the batch to the last axis.

    A network for one source at a time takes all of them at once, if `keras.ops.repeat` puts each
    example into the batch once a source. This undoes it.

    Args:
        count: number of sources.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch * count, frames, bins, channels)`, the sources of an example next to each other.

    Output shape:
        `(batch, frames, bins, channels, count)`.

    Raises:
        InputError: for fewer than 1 source, or a batch that is no multiple of them.

    Example:
    >>> import numpy as np
    >>> tuple(UnfoldSources(3)(np.zeros((6, 10, 65, 2), "float32")).shape)
    (2, 10, 65, 2, 3)
    """

    def __init__(self, count, **kwargs):
        super().__init__(**kwargs)
        if count < 1:
            raise InputError(f"received count={count}, expected 1 or more sources")

    def call(self, x):
        """Unfold `(batch * count, frames, bins, channels)`."""
        _, frames, bins, _ = ops.shape(x)
        x = ops.reshape(x, (-1, self.count, frames, bins, x.shape[-1]))
        return ops.transpose(x, (0, 2, 3, 4, 1))

    def compute_output_shape(self, input_shape):
        """Shape of the result."""
        batch, *rest = input_shape
        if batch is not None and batch % self.count:
            raise InputError(
                f"received a batch of {batch}, expected a multiple of {self.count} sources"
            )
        return (None if batch is None else batch // self.count, *rest, self.count)
