"""Layer: twice as many samples, the new ones between the old."""

import keras
from keras import ops

from kerasep.system.arguments import Arguments


@keras.saving.register_keras_serializable("kerasep")
class Interpolate(Arguments, keras.layers.Layer):
    """Puts one sample between every two: their mean, or a learned mixture of them.

    A learned mixture is `w * before + (1 - w) * after` with a share `w` between 0 and 1 for each
    feature, the sigmoid of a weight.

    Args:
        learned: whether the mixture is learned. Defaults to False.
        extend: whether a sample follows the last one too, so that there are twice as many: fixed
            interpolation repeats the last one, a learned one takes zeros to lie beyond it. If not,
            there is one sample fewer. Defaults to True.
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

    def __init__(self, learned=False, extend=True, **kwargs):
        super().__init__(**kwargs)

    def build(self, input_shape):
        """Create the shares: all a half at the start."""
        if self.learned:
            self.share = self.add_weight(
                shape=(input_shape[-1],), initializer="zeros", name="share"
            )

    def call(self, x):
        """Interpolate `(batch, samples, features)`."""
        last = x[:, -1:]
        beyond = ops.zeros_like(last) if self.learned else last
        after = ops.concatenate([x[:, 1:], beyond], axis=1)
        share = ops.sigmoid(self.share) if self.learned else 0.5
        pairs = ops.concatenate([x, share * x + (1 - share) * after], axis=-1)
        doubled = ops.reshape(pairs, (ops.shape(x)[0], -1, x.shape[-1]))
        return doubled if self.extend else doubled[:, :-1]

    def compute_output_shape(self, input_shape):
        """Shape of the result."""
        batch, samples, features = input_shape
        if samples is not None:
            samples = 2 * samples - (not self.extend)
        return (batch, samples, features)
