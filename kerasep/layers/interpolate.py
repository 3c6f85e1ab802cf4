"""Layer: double the number of samples by interpolation."""

from typing import Any

import keras
from keras import ops

from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class Interpolate(Arguments, keras.layers.Layer):
    """Insert one sample between every two: their mean, or a learned mixture of them.

    A learned mixture is `w * before + (1 - w) * after` with one share `w` per feature. The share
    is the sigmoid of a weight, so it lies between 0 and 1.

    Args:
        learned: whether the mixture is learned. Defaults to False.
        extend: whether to add a sample after the last one too, which exactly doubles the length.
            Fixed interpolation repeats the last sample; learned interpolation assumes zeros after
            it. Without it there is one sample fewer. Defaults to True.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, samples, features)`; with `learned` a weight `share` of shape `(features,)`.

    Output shape:
        `(batch, 2 * samples, features)`, or `(batch, 2 * samples - 1, features)`.

    Example:
    >>> import numpy as np
    >>> x = np.array([1.0, 2.0, 4.0], "float32").reshape(1, 3, 1)
    >>> np.ravel(Interpolate(extend=False)(x)).tolist()
    [1.0, 1.5, 2.0, 3.0, 4.0]

    Reference:
        Stoller, Ewert and Dixon 2018, "Wave-U-Net: a multi-scale neural network for end-to-end
        audio source separation", section 3.2.
    """

    def __init__(self, learned: bool = False, extend: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the shares, initially one half each."""
        if self.learned:
            self.share = self.add_weight(
                shape=(input_shape[-1],), initializer="zeros", name="share"
            )

    def call(self, x: Tensor) -> Tensor:
        """Interpolate `(batch, samples, features)`."""
        last = x[:, -1:]
        beyond = ops.zeros_like(last) if self.learned else last
        after = ops.concatenate([x[:, 1:], beyond], axis=1)
        share = ops.sigmoid(self.share) if self.learned else 0.5
        pairs = ops.concatenate([x, share * x + (1 - share) * after], axis=-1)
        doubled = ops.reshape(pairs, (ops.shape(x)[0], -1, x.shape[-1]))
        return doubled if self.extend else doubled[:, :-1]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the result."""
        batch, samples, features = input_shape
        if samples is not None:
            samples = 2 * samples - (not self.extend)
        return (batch, samples, features)
