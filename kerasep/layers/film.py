"""Layer: modulate features by a condition."""

import keras

from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class FiLM(Arguments, keras.layers.Layer):
    """Feature-wise linear modulation: `gamma x + beta`, with a factor and a term for each example.

    A network computes gamma and beta from a condition, such as which source to separate. There may
    be one of each for all channels ("simple" in the source separation literature) or one for each
    channel ("complex").

    Args:
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Call arguments:
        x: `(batch, frames, bins, channels)`.
        gamma: `(batch, channels)` or `(batch, 1)`.
        beta: same shape as gamma.

    Output shape:
        `(batch, frames, bins, channels)`.

    Example:
    >>> import numpy as np
    >>> x, gamma = np.ones((2, 4, 5, 3), "float32"), np.array([[2.0], [3.0]], "float32")
    >>> np.asarray(FiLM()(x, gamma, gamma))[:, 0, 0].tolist()
    [[4.0, 4.0, 4.0], [6.0, 6.0, 6.0]]

    Reference:
        Perez, Strub, de Vries, Dumoulin and Courville 2018, "FiLM: visual reasoning with a general
        conditioning layer", AAAI.
    """

    def call(self, x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        """Modulate `(batch, frames, bins, channels)`."""
        return x * gamma[:, None, None] + beta[:, None, None]

    def compute_output_shape(
        self,
        x_shape: tuple[int | None, ...],
        gamma_shape: tuple[int | None, ...],
        beta_shape: tuple[int | None, ...],
    ) -> tuple[int | None, ...]:
        """Return the shape of the result."""
        return x_shape
