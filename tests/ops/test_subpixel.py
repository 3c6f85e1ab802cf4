"""The sub-pixel form against Keras' transposed convolution."""

import numpy as np
import pytest
from keras import Input, Model, layers, ops
from keras.config import backend
from keras.ops import convert_to_numpy

from kerasep.layers import Conv1DTranspose, Conv2DTranspose
from kerasep.ops import subpixel_conv_transpose

KERNELS = [((8,), (4,)), ((5,), (2,)), ((2,), (3,)), ((1,), (1,)), ((7,), (3,))]
KERNELS += [((5, 5), (2, 2)), ((3, 5), (3, 1)), ((4, 4), (2, 2)), ((1, 2), (2, 4))]


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("sizes", "strides"), KERNELS)
def test_equal_to_keras(sizes, strides, padding, rng):
    # The first of two axes has one position only, so no tap reaches a neighbour.
    x = rng.standard_normal((2, *(1, 6)[-len(sizes) :], 3)).astype("float32")
    kernel = rng.standard_normal((*sizes, 4, 3)).astype("float32")
    theirs = ops.conv_transpose(x, kernel, strides, padding, data_format="channels_last")
    ours = subpixel_conv_transpose(x, kernel, strides, padding)
    np.testing.assert_allclose(convert_to_numpy(ours), convert_to_numpy(theirs), atol=1e-5)


# TensorFlow has it on a CPU only where oneDNN is chosen, which depends on the processor.
NOT_ON_EVERY_CPU = pytest.mark.skipif(
    backend() == "tensorflow", reason="TensorFlow refuses dilation on many processors"
)


@pytest.mark.parametrize(
    ("ours", "theirs", "shape"),
    [
        (Conv1DTranspose, layers.Conv1DTranspose, (2, 6, 3)),
        (Conv2DTranspose, layers.Conv2DTranspose, (2, 6, 5, 3)),
    ],
)
@pytest.mark.parametrize(
    "settings",
    [
        {"kernel_size": 5, "strides": 2, "padding": "same", "bias_initializer": "ones"},
        {"kernel_size": 8, "strides": 4, "use_bias": False, "activation": "relu"},
        pytest.param({"kernel_size": 3, "dilation_rate": 2}, marks=NOT_ON_EVERY_CPU),
        {"kernel_size": 3, "strides": 2, "output_padding": 1},
    ],
)
def test_layer_and_its_gradient_are_keras(ours, theirs, shape, settings, rng, weight_gradients):
    x = rng.standard_normal(shape).astype("float32")
    inputs = Input(shape[1:])
    ours, theirs = (Model(inputs, layer(4, **settings)(inputs)) for layer in (ours, theirs))
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(*(convert_to_numpy(layer(x)) for layer in (ours, theirs)), atol=1e-5)
    found = [
        list(weight_gradients(layer, lambda y: ops.sum(ops.square(y)), x).values())
        for layer in (ours, theirs)
    ]
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-3)
