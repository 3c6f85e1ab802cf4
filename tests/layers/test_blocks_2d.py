"""Encoder and decoder blocks: any size in, the same size out."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras.ops import convert_to_numpy

from kerasep import ops
from kerasep.errors import InputError
from kerasep.layers import DecoderBlock2D, EncoderBlock2D

FEW = settings(max_examples=20, deadline=None)
DOWNSAMPLINGS = pytest.mark.parametrize("downsampling", ["strided", "max", "average"])
IDENTITY = {"norm": None, "activation": None}


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def identity(layer, x):
    """Set the convolution of a block with kernel size 1 to the identity."""
    layer.build(x.shape)
    layer.conv.kernel.assign(np.eye(x.shape[-1])[None, None])
    return layer


@FEW
@given(st.integers(1, 13), st.integers(1, 13), st.sampled_from([(2, 2), (3, 2), (4, 1)]))
def test_pools_by_loops(frames, bins, stride):
    x = noise(1, frames, bins, 2, seed=frames) - 3
    cells = [
        [x[:, i : i + stride[0], j : j + stride[1]] for j in range(0, bins, stride[1])]
        for i in range(0, frames, stride[0])
    ]
    for name, reduce in [("max", np.max), ("average", np.mean)]:
        expected = [[reduce(cell, axis=(1, 2)) for cell in row] for row in cells]
        expected = np.moveaxis(np.array(expected), 2, 0)
        block = EncoderBlock2D(2, 1, stride, downsampling=name, **IDENTITY)
        received = convert_to_numpy(identity(block, x)(x))
        np.testing.assert_allclose(received, expected, atol=1e-5)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_strided_convolution_by_loops(stride):
    x = noise(1, 7, 8, 2)
    block = EncoderBlock2D(4, 3, stride, **IDENTITY)
    block.build(x.shape)
    kernel = convert_to_numpy(block.conv.kernel)
    # Frames are padded to a multiple of the stride, and the rest of the kernel is divided.
    before = (3 - stride) // 2
    padded = np.pad(x, ((0, 0), (before, 9), (before, 9), (0, 0)))
    expected = np.zeros((1, -(-7 // stride), -(-8 // stride), 4))
    for i, j in np.ndindex(expected.shape[1:3]):
        cell = padded[:, i * stride : i * stride + 3, j * stride : j * stride + 3]
        expected[:, i, j] = np.einsum("bxyc,xycf->bf", cell, kernel)
    np.testing.assert_allclose(convert_to_numpy(block(x)), expected, atol=1e-5)


@DOWNSAMPLINGS
def test_the_length_changes_nothing_far_from_the_end(downsampling):
    x = noise(1, 41, 16, 1)
    block = EncoderBlock2D(3, 5, (4, 2), downsampling=downsampling, norm=None)
    whole = convert_to_numpy(block(x))
    for frames in (37, 38, 39, 40):
        part = convert_to_numpy(block(x[:, :frames]))
        np.testing.assert_allclose(part[:, :7], whole[:, :7], atol=1e-5)


def u_net(downsampling, join, norm="instance"):
    inputs = keras.Input((None, None, 2))
    options = {"downsampling": downsampling, "norm": norm}
    first = EncoderBlock2D(4, 5, (2, 3), **options)(inputs)
    second = EncoderBlock2D(6, 3, 2, **options)(first)
    x = DecoderBlock2D(4, 3, 2, join=join, norm=norm)(second, first)
    outputs = DecoderBlock2D(2, 5, (2, 3), join=None, norm=None)(x, inputs)
    return keras.Model(inputs, outputs)


@DOWNSAMPLINGS
@pytest.mark.parametrize("join", ["concatenate", "add"])
def test_u_net_of_any_size(downsampling, join):
    """Far from the end, the size of the input changes nothing."""
    model = u_net(downsampling, join, norm=None)
    x = noise(2, 44, 48, 2)
    whole = convert_to_numpy(model(x))
    assert whole.shape == x.shape
    for frames, bins in [(43, 47), (42, 45), (41, 43)]:
        part = convert_to_numpy(model(x[:, :frames, :bins]))
        assert part.shape == (2, frames, bins, 2)
        np.testing.assert_allclose(part[:, :24, :18], whole[:, :24, :18], atol=1e-5)
        assert np.abs(part[:, -1] - whole[:, frames - 1, :bins]).max() > 1e-3
    result = convert_to_numpy(u_net(downsampling, join)(x[:1, :1, :1]))
    assert result.shape == (1, 1, 1, 2)
    assert np.isfinite(result).all()


@DOWNSAMPLINGS
def test_one_compiled_function_for_all_sizes(downsampling):
    """For the third size Keras compiles a function with unknown sizes."""
    model = u_net(downsampling, "concatenate")
    for shape in [(1, 17, 31, 2), (2, 24, 36, 2), (3, 12, 30, 2), (1, 25, 35, 2)]:
        x = noise(*shape)
        expected = convert_to_numpy(model(x))
        np.testing.assert_allclose(model.predict_on_batch(x), expected, atol=1e-5)


def test_the_skip_is_joined():
    x, skip = noise(1, 3, 3, 2), noise(1, 5, 6, 4)
    block = DecoderBlock2D(4, 3, join=None)
    alone = convert_to_numpy(block(x, skip))
    for join, expected in [
        ("concatenate", np.concatenate([alone, skip], axis=-1)),
        ("add", alone + skip),
    ]:
        joined = DecoderBlock2D(4, 3, join=join)
        joined.build(x.shape, skip.shape)
        joined.set_weights(block.get_weights())
        np.testing.assert_allclose(convert_to_numpy(joined(x, skip)), expected, atol=1e-6)


def test_transposed_convolution_is_the_adjoint_of_the_strided():
    """<encode(x), y> = <x, decode(y)> with the same kernel, for odd sizes too."""
    x, y = noise(1, 7, 9, 2), noise(1, 4, 5, 3, seed=1)
    encoder = EncoderBlock2D(3, 5, 2, **IDENTITY)
    decoder = DecoderBlock2D(2, 5, 2, join=None, **IDENTITY)
    encoded = convert_to_numpy(encoder(x))
    decoder.build(y.shape, x.shape)
    decoder.conv.kernel.assign(encoder.conv.kernel)
    decoded = convert_to_numpy(decoder(y, x))
    assert np.sum(encoded * y) == pytest.approx(np.sum(x * decoded), rel=1e-4)


def test_dropout_in_training_alone():
    x, skip = np.ones((1, 4, 4, 2), "float32"), np.ones((1, 8, 8, 2), "float32")
    block = DecoderBlock2D(3, dropout=0.5, join=None, norm=None, activation=None)
    assert convert_to_numpy(block(x, skip)).all()
    share = np.mean(convert_to_numpy(block(x, skip, training=True)) == 0)
    assert 0.2 < share < 0.8


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EncoderBlock2D(0), "filters=0"),
        (lambda: EncoderBlock2D(4, stride=(2, 2, 2)), r"stride=\(2, 2, 2\)"),
        (lambda: EncoderBlock2D(4, downsampling="mean"), "downsampling='mean'"),
        (lambda: EncoderBlock2D(4, norm="group"), "norm='group'"),
        (lambda: DecoderBlock2D(4, join="multiply"), "join='multiply'"),
        (lambda: DecoderBlock2D(4, dropout=1), "dropout=1"),
        (
            lambda: DecoderBlock2D(4, join="add")(noise(1, 2, 2, 1), noise(1, 4, 4, 3)),
            "skip of 3 channels",
        ),
        (lambda: ops.crop_like(noise(1, 2, 2, 1), noise(1, 3, 2, 1)), "no fewer frames"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(InputError, match=message):
        make()
