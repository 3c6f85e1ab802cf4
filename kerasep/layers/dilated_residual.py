"""Layer: a narrow dilated convolution over frames, added to its input."""

from typing import Any

import keras

from kerasep.errors import InputError
from kerasep.layers.global_layer_normalization import GlobalLayerNormalization
from kerasep.layers.layer_scale import LayerScale
from kerasep.layers.rescaled_uniform import rescaled_uniform
from kerasep.system.arguments import Arguments
from kerasep.system.types import Tensor

# As of PyTorch's group normalisation.
EPSILON = 1e-5


@keras.saving.register_keras_serializable("kerasep")
class DilatedResidual(Arguments, keras.layers.Layer):
    """Add a dilated convolution over frames that works on few features.

    `x + scale * glu(norm(expand(gelu(norm(convolve(x))))))`, where `convolve` leaves `1 /
    compression` of the features, and `expand` is a dense layer to twice the features of `x`, which
    a gated linear unit halves. Each norm is over frames and features, for every bin alone.

    Args:
        dilation: frames between the taps of the convolution. Defaults to 1.
        compression: ratio of the features of `x` to those of the convolution. Defaults to 8.
        kernel_size: taps of the convolution, an odd number. Defaults to 3.
        initial: initial scale, see `LayerScale`. Defaults to 1e-3.
        **kwargs: name and the rest of `keras.layers.Layer`'s arguments.

    Input shape:
        `(batch, frames, features)` or `(batch, bins, frames, features)`.

    Output shape:
        The same.

    Raises:
        InputError: for sizes below 1, an even kernel size, or fewer features than `compression`.

    Example:
    >>> import numpy as np
    >>> x = np.random.randn(1, 9, 16).astype("float32")
    >>> y = keras.ops.convert_to_numpy(DilatedResidual(dilation=2)(x))
    >>> bool(0 < np.abs(y - x).max() < 0.01)
    True

    Reference:
        Defossez 2021, "Hybrid spectrogram and waveform source separation", arXiv:2111.03600:
        the compressed residual branches, without their LSTM and attention.
    """

    def __init__(
        self,
        dilation: int = 1,
        compression: int = 8,
        kernel_size: int = 3,
        initial: float = 1e-3,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if min(dilation, compression, kernel_size) < 1 or kernel_size % 2 == 0:
            raise InputError(
                f"received dilation={dilation}, compression={compression}, "
                f"kernel_size={kernel_size}, expected at least 1 of each, and an odd kernel size"
            )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the layers of the branch."""
        features = input_shape[-1] or 0
        hidden = features // self.compression
        if not hidden:
            raise InputError(
                f"received {features} features for compression={self.compression}, expected as "
                f"many at least: take a smaller compression"
            )
        policy = {"dtype": self.dtype_policy}
        self.convolve = keras.layers.Conv1D(
            hidden,
            self.kernel_size,
            padding="same",
            dilation_rate=self.dilation,
            name="convolve",
            **policy,
            **rescaled_uniform(features * self.kernel_size),
        )
        self.expand = keras.layers.Dense(
            2 * features, name="expand", **policy, **rescaled_uniform(hidden)
        )
        self.hidden_norm = GlobalLayerNormalization(EPSILON, name="hidden_norm", **policy)
        self.output_norm = GlobalLayerNormalization(EPSILON, name="output_norm", **policy)
        self.layer_scale = LayerScale(self.initial, name="layer_scale", **policy)
        for layer, width in (
            (self.convolve, features),
            (self.hidden_norm, hidden),
            (self.expand, hidden),
            (self.output_norm, 2 * features),
            (self.layer_scale, features),
        ):
            layer.build((None, None, width))

    def call(self, x: Tensor) -> Tensor:
        """Run over frames of `(batch, frames, features)` or `(batch, bins, frames, features)`."""
        shape = keras.ops.shape(x)
        # Convolution and norms see the bins as examples.
        y = keras.ops.reshape(x, (-1, *shape[-2:]))
        y = keras.activations.gelu(self.hidden_norm(self.convolve(y)), approximate=False)
        y, gate = keras.ops.split(self.output_norm(self.expand(y)), 2, axis=-1)
        y = self.layer_scale(y * keras.ops.sigmoid(gate))
        return x + keras.ops.reshape(y, shape)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the input."""
        return input_shape
