"""The layers of hybrid Demucs: their formulas, written in NumPy."""

import math

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import layers
from kerasep.errors import InputError


def randomised(layer, *arrays):
    """Build a layer, and give it weights that all show; return its output too."""
    layer(*arrays)
    rng = np.random.default_rng(1)
    layer.set_weights([0.5 * rng.standard_normal(w.shape) for w in layer.get_weights()])
    return convert_to_numpy(layer(*arrays))


def gelu(x):
    return x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2


def norm(x, layer, axes):
    x = x - x.mean(axes, keepdims=True)
    x = x / np.sqrt(np.square(x).mean(axes, keepdims=True) + 1e-5)
    return x * convert_to_numpy(layer.gamma) + convert_to_numpy(layer.beta)


def dense(x, layer):
    return x @ convert_to_numpy(layer.kernel) + convert_to_numpy(layer.bias)


def attention(query, key, value, heads):
    query, key, value = (np.split(x, heads, -1) for x in (query, key, value))
    rows = []
    for q, k, v in zip(query, key, value, strict=True):
        weights = np.exp(q @ k.swapaxes(1, 2) / math.sqrt(q.shape[-1]))
        rows.append(weights / weights.sum(-1, keepdims=True) @ v)
    return np.concatenate(rows, -1)


@pytest.mark.parametrize("crosses", [False, True])
def test_transformer_block(rng, crosses):
    x, context = (rng.standard_normal((2, n, 6)).astype("float32") for n in (5, 7))
    layer = layers.TransformerBlock(heads=2, expansion=3)
    found = randomised(layer, *([x, context] if crosses else [x]))
    normalised = norm(x, layer.query_norm, -1)
    if crosses:
        other = dense(norm(context, layer.context_norm, -1), layer.key_value)
        parts = dense(normalised, layer.query), *np.split(other, 2, -1)
    else:
        parts = np.split(dense(normalised, layer.query_key_value), 3, -1)
    y = dense(attention(*parts, heads=2), layer.merge)
    y = x + y * convert_to_numpy(layer.attention_scale.scale)
    z = dense(gelu(dense(norm(y, layer.forward_norm, -1), layer.expand)), layer.compress)
    z = y + z * convert_to_numpy(layer.forward_scale.scale)
    np.testing.assert_allclose(found, norm(z, layer.output_norm, (1, 2)), atol=1e-4)


def test_transformer_block_drops_in_training_only(rng):
    x = rng.standard_normal((1, 50, 6)).astype("float32")
    layer = layers.TransformerBlock(heads=2, dropout=0.5)
    randomised(layer, x)
    still, moving = (convert_to_numpy(layer(x, training=training)) for training in (False, True))
    np.testing.assert_array_equal(convert_to_numpy(layer(x)), still)
    assert np.abs(moving - still).max() > 0.1


@pytest.mark.parametrize("dilation", [1, 2])
def test_dilated_residual(rng, dilation):
    x = rng.standard_normal((2, 9, 8)).astype("float32")
    layer = layers.DilatedResidual(dilation, compression=4)
    found = randomised(layer, x)
    padded = np.pad(x, [(0, 0), (dilation, dilation), (0, 0)])
    kernel = convert_to_numpy(layer.convolve.kernel)
    y = sum(padded[:, k * dilation : k * dilation + 9] @ kernel[k] for k in range(3))
    y = gelu(norm(y + convert_to_numpy(layer.convolve.bias), layer.hidden_norm, (1, 2)))
    y, gate = np.split(norm(dense(y, layer.expand), layer.output_norm, (1, 2)), 2, -1)
    y = y / (1 + np.exp(-gate)) * convert_to_numpy(layer.layer_scale.scale)
    np.testing.assert_allclose(found, x + y, atol=1e-4)
    # Bins are like examples.
    bins = convert_to_numpy(layer(np.stack([x, -x], 1)))
    np.testing.assert_allclose(bins[:, 0], found, atol=1e-5)
    np.testing.assert_allclose(bins[:, 1], convert_to_numpy(layer(-x)), atol=1e-5)


def test_sinusoidal_positions_of_frames():
    found = convert_to_numpy(layers.SinusoidalPositions(100.0)(np.ones((1, 30, 8), "float32")))
    angles = np.arange(30)[:, None] * 100.0 ** (-np.arange(4) / 3)
    expected = 1 + np.concatenate([np.cos(angles), np.sin(angles)], -1)
    np.testing.assert_allclose(found[0], expected, atol=1e-5)


def test_sinusoidal_positions_of_bins_and_frames():
    found = convert_to_numpy(layers.SinusoidalPositions()(np.ones((1, 5, 30, 8), "float32")))[0] - 1
    for place in range(4):
        wave = (np.sin, np.cos)[place % 2]
        speed = 10000.0 ** (-(place // 2) / 2)
        frames = np.tile(wave(np.arange(30) * speed), (5, 1))
        np.testing.assert_allclose(found[..., place], frames, atol=1e-5)
        bins = np.tile(wave(np.arange(5) * speed)[:, None], (1, 30))
        np.testing.assert_allclose(found[..., 4 + place], bins, atol=1e-5)


def test_bin_embedding_starts_smooth(rng):
    keras.utils.set_random_seed(0)
    layer = layers.BinEmbedding(scale=3.0, initial=0.2)
    x = rng.standard_normal((2, 400, 3, 64)).astype("float32")
    added = convert_to_numpy(layer(x)) - x
    vectors = convert_to_numpy(layer.vectors)
    np.testing.assert_allclose(added, np.tile(3 * vectors[:, None], (2, 1, 3, 1)), atol=1e-5)
    for bins in (vectors[:4], vectors[200:]):
        assert 0.15 < bins.std() < 0.25
    assert np.abs(np.diff(vectors[200:], axis=0)).max() < 0.1


@pytest.mark.parametrize("samples", [9, 12, 13])
@pytest.mark.parametrize("mode", ["constant", "reflect"])
def test_step_pad_and_crop(rng, samples, mode):
    x = rng.standard_normal((2, samples, 3)).astype("float32")
    padded = layers.StepPad(4, 2, mode)(x)
    ends = [(0, 0), (2, 2 + -samples % 4), (0, 0)]
    np.testing.assert_array_equal(convert_to_numpy(padded), np.pad(x, ends, mode=mode))
    np.testing.assert_array_equal(convert_to_numpy(layers.Crop(2)(padded, x)), x)
    # A window of 2 * margin + step samples has as many places as there are steps.
    assert (padded.shape[1] - 8) // 4 + 1 == -(-samples // 4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.TransformerBlock(heads=0), "heads=0"),
        (lambda: layers.TransformerBlock(dropout=1.0), "dropout=1.0"),
        (lambda: layers.TransformerBlock(4)(np.zeros((1, 3, 6))), "6 features for heads=4"),
        (lambda: layers.DilatedResidual(kernel_size=2), "kernel_size=2"),
        (lambda: layers.DilatedResidual()(np.zeros((1, 3, 6))), "6 features for compression=8"),
        (lambda: layers.SinusoidalPositions(1.0), "period=1.0"),
        (lambda: layers.SinusoidalPositions()(np.zeros((1, 2, 3, 6))), "6 features"),
        (lambda: layers.BinEmbedding(0), "axis=0"),
        (lambda: layers.StepPad(0), "step=0"),
        (lambda: layers.StepPad(1, 1, "mirror"), "mode='mirror'"),
        (lambda: layers.Crop(-1), "start=-1"),
        (lambda: layers.Crop(2)(np.zeros((1, 4)), np.zeros((1, 3))), "4 samples to cut 3"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(InputError, match=f"received.*{message}"):
        make()
