"""Layer: normalise by the mean and variance of all frames so far (cLN)."""

from typing import Any

import keras
from keras import ops

from kerasep.ops import running_sum
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor


@keras.saving.register_keras_serializable("kerasep")
class CumulativeLayerNormalization(Arguments, keras.layers.Layer):
    """Cumulative layer normalisation, cLN: mean and variance of all frames up to the current one.

    `gamma (x_t - mean_t) / sqrt(variance_t + epsilon) + beta`, with the mean and variance of all
    features of frames 0 to t. It is causal, so streaming models can be trained with it. With the
    state, successive blocks are normalised exactly like the whole sequence. It is computed in
    float32 from deviations, not from squares, so that long and loud inputs lose no precision.

    Asteroid calls this "cgLN". Its "cLN" normalises each frame alone, which is
    `keras.layers.LayerNormalization(epsilon=1e-8)`.

    Args:
        epsilon: added to the variance. Defaults to 1e-8.
        return_state: whether to return the state after the last frame too. Defaults to False.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Call arguments:
        x: `(batch, frames, ..., features)`; weights `gamma` and `beta` of shape `(features,)`.
        state: `(batch, 3)`, the number of frames so far, their mean and their variance. Defaults
            to zeros, the start of a sequence.

    Output shape:
        Same as the input. With `return_state`, a tuple of that and the float32 state.

    Example:
    >>> import numpy as np
    >>> layer = CumulativeLayerNormalization(return_state=True)
    >>> x = np.random.randn(1, 8, 5).astype("float32")
    >>> whole, _ = layer(x)
    >>> first, state = layer(x[:, :3])
    >>> rest, _ = layer(x[:, 3:], state=state)
    >>> again = keras.ops.concatenate([first, rest], axis=1)
    >>> bool(keras.ops.max(keras.ops.abs(again - whole)) < 1e-5)
    True

    Reference:
        Luo and Mesgarani 2019, "Conv-TasNet: surpassing ideal time-frequency magnitude masking for
        speech separation"; merging variances: Chan, Golub and LeVeque 1983.
    """

    def __init__(self, epsilon: float = 1e-8, return_state: bool = False, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create both weights."""
        shape = (input_shape[-1],)
        self.gamma = self.add_weight(shape=shape, initializer="ones", autocast=False, name="gamma")
        self.beta = self.add_weight(shape=shape, initializer="zeros", autocast=False, name="beta")

    def call(self, x: Tensor, state: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:
        """Normalise `(batch, frames, ..., features)`, starting from a state."""
        x = ops.cast(x, "float32")
        if state is None:
            state = ops.zeros((ops.shape(x)[0], 3), "float32")
        state = ops.cast(state, "float32")
        seen, old_mean, old_variance = state[:, :1], state[:, 1:2], state[:, 2:]
        features = tuple(range(2, len(x.shape)))

        def aligned(values):
            return ops.expand_dims(values, features)

        # Relative to the mean at the start, numbers are small even if the input is far from zero.
        start = ops.where(seen > 0, old_mean, ops.mean(x[:, :1], axis=features))
        x = x - aligned(start)
        frame_mean = ops.mean(x, axis=features)
        frame_variance = ops.mean(ops.square(x - aligned(frame_mean)), axis=features)
        count = seen + ops.arange(1, ops.shape(x)[1] + 1, dtype="float32")
        mean = running_sum(frame_mean) / count
        between = ops.square(frame_mean - mean) * (count / ops.maximum(count - 1, 1.0))
        variance = (seen * old_variance + running_sum(frame_variance + between)) / count
        x = (x - aligned(mean)) / ops.sqrt(aligned(variance) + self.epsilon)
        x = x * ops.cast(self.gamma, "float32") + ops.cast(self.beta, "float32")
        x = ops.cast(x, self.compute_dtype)
        if not self.return_state:
            return x
        last = count[:, -1:], start + mean[:, -1:], variance[:, -1:]
        return x, ops.concatenate(last, axis=1)

    def compute_output_spec(
        self, x: Tensor, state: Tensor | None = None
    ) -> keras.KerasTensor | tuple[keras.KerasTensor, keras.KerasTensor]:
        """Return the shapes of the result and of the state."""
        result = keras.KerasTensor(x.shape, dtype=self.compute_dtype)
        state = keras.KerasTensor((x.shape[0], 3), dtype="float32")
        return (result, state) if self.return_state else result
