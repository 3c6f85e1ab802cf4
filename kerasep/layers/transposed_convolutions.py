"""Layers: Keras' transposed convolutions, in a form that trains fast on JAX."""

import keras

from kerasep import ops
from kerasep.system.types import Tensor


class _Subpixel(keras.layers.Layer):
    """Transposed convolution, on JAX in its sub-pixel form: training is up to 30 times faster."""

    def call(self, x: Tensor) -> Tensor:
        """Run over `(batch, ..., channels)`."""
        plain = (
            self.data_format == "channels_last"
            and set(self.dilation_rate) == {1}
            and self.output_padding is None
        )
        if keras.backend.backend() != "jax" or not plain:
            return super().call(x)
        y = ops.subpixel_conv_transpose(x, self.kernel, self.strides, self.padding)
        if self.use_bias:
            y = y + self.bias
        return self.activation(y)


@keras.saving.register_keras_serializable("kerasep")
class Conv1DTranspose(_Subpixel, keras.layers.Conv1DTranspose):
    """Transposed convolution over samples: `keras.layers.Conv1DTranspose`, trained fast on JAX too.

    Arguments, weights and results are those of Keras' layer.

    Input shape:
        `(batch, samples, channels)`.

    Output shape:
        `(batch, samples * strides, filters)` with padding "same". With "valid", it is longer by
        the kernel size minus the stride.

    Example:
    >>> import numpy as np
    >>> tuple(Conv1DTranspose(2, 8, strides=4)(np.zeros((1, 10, 3), "float32")).shape)
    (1, 44, 2)

    Reference:
        Shi et al. 2016, "Is the deconvolution layer the same as a convolutional layer?"
    """


@keras.saving.register_keras_serializable("kerasep")
class Conv2DTranspose(_Subpixel, keras.layers.Conv2DTranspose):
    """Transposed convolution of images: `keras.layers.Conv2DTranspose`, trained fast on JAX too.

    Arguments, weights and results are those of Keras' layer.

    Input shape:
        `(batch, frames, bins, channels)`.

    Output shape:
        `(batch, frames * stride, bins * stride, filters)` with padding "same". With "valid", it is
        larger by the kernel size minus the stride.

    Example:
    >>> import numpy as np
    >>> layer = Conv2DTranspose(2, 5, strides=2, padding="same")
    >>> tuple(layer(np.zeros((1, 4, 6, 3), "float32")).shape)
    (1, 8, 12, 2)

    Reference:
        Shi et al. 2016, "Is the deconvolution layer the same as a convolutional layer?"
    """
