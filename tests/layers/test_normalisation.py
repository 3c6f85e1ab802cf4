"""Our normalisations, and Keras' from the documentation, against their formulas in float64."""

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep.errors import InputError
from kerasep.layers import CumulativeLayerNormalization, GlobalLayerNormalization, Whitening

SHAPES = pytest.mark.parametrize("shape", [(2, 30, 6), (2, 30, 5, 3)])


def normalised(x, axes, epsilon=1e-8):
    x = x.astype("float64")
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)


def cumulative(x, epsilon=1e-8):
    """Normalise each frame by all frames so far."""
    x = x.astype("float64")
    result = np.empty_like(x)
    for t in range(x.shape[1]):
        axes = tuple(range(1, x.ndim))
        seen = x[:, : t + 1]
        mean, variance = seen.mean(axes), seen.var(axes)
        aligned = (-1, *[1] * (x.ndim - 2))
        result[:, t] = x[:, t] - mean.reshape(aligned)
        result[:, t] /= np.sqrt(variance + epsilon).reshape(aligned)
    return result


def with_weights(layer, x, rng):
    """Return a layer with random gamma and beta, and both."""
    layer.build(x.shape)
    gamma, beta = rng.standard_normal((2, x.shape[-1])).astype("float32")
    layer.set_weights([gamma, beta])
    return gamma, beta


@SHAPES
@pytest.mark.parametrize(("scale", "offset"), [(1e-3, 0), (1, 1e3), (1e4, -1e4)])
@pytest.mark.parametrize("make", [GlobalLayerNormalization, CumulativeLayerNormalization])
def test_formula(rng, shape, scale, offset, make):
    x = (scale * rng.standard_normal(shape) + offset).astype("float32")
    layer = make()
    gamma, beta = with_weights(layer, x, rng)
    if make is GlobalLayerNormalization:
        expected = normalised(x, tuple(range(1, x.ndim)))
    else:
        expected = cumulative(x)
    atol = 1e-5 + 1e-6 * abs(offset) / scale
    np.testing.assert_allclose(convert_to_numpy(layer(x)), expected * gamma + beta, atol=atol)


@pytest.mark.parametrize("make", [GlobalLayerNormalization, CumulativeLayerNormalization])
@pytest.mark.parametrize("value", [0.0, 1e-8, 1000.1])
def test_a_constant_has_finite_values_and_gradients(gradients, make, value):
    x = np.full((1, 5, 3), value, "float32")
    layer = make()
    assert np.abs(convert_to_numpy(layer(x))).max() < (1 if value > 1 else 1e-3)
    _, (gradient,) = gradients(lambda x: keras.ops.sum(layer(x) ** 3), x)
    assert np.isfinite(gradient).all()


@SHAPES
def test_cumulative_is_causal(rng, shape):
    layer = CumulativeLayerNormalization()
    x = rng.standard_normal(shape).astype("float32")
    whole = convert_to_numpy(layer(x))
    cut = convert_to_numpy(layer(x[:, :7]))
    np.testing.assert_allclose(cut, whole[:, :7], atol=1e-6)
    for end in (1, 7, 29):
        changed = x.copy()
        changed[:, end:] = 1e4
        received = convert_to_numpy(layer(changed))
        np.testing.assert_allclose(received[:, :end], whole[:, :end], atol=1e-6)


@SHAPES
@pytest.mark.parametrize("block", [1, 13])
def test_cumulative_block_by_block(rng, shape, block):
    x = (rng.standard_normal(shape) + 100).astype("float32")
    layer = CumulativeLayerNormalization(return_state=True)
    whole, end = layer(x)
    blocks, state = [], None
    for start in range(0, x.shape[1], block):
        y, state = layer(x[:, start : start + block], state=state)
        blocks.append(convert_to_numpy(y))
    np.testing.assert_allclose(np.concatenate(blocks, 1), convert_to_numpy(whole), atol=2e-4)
    np.testing.assert_allclose(convert_to_numpy(state), convert_to_numpy(end), rtol=1e-4)
    everything = x.astype("float64").reshape(2, -1)
    expected = [np.full(2, x.shape[1]), everything.mean(axis=1), everything.var(axis=1)]
    np.testing.assert_allclose(convert_to_numpy(end), np.stack(expected, 1), rtol=1e-4)


def test_cumulative_holds_for_long_inputs(rng):
    """Many frames far from zero: sums of squares in float32 would lose everything."""
    frames = 100_000
    x = (300 + rng.standard_normal((1, frames, 2)) * [1, 5]).astype("float32")
    x64 = x.astype("float64")
    counts = 2 * np.arange(1, frames + 1)
    shifted = x64 - 300
    mean = np.cumsum(shifted.sum(axis=2), axis=1) / counts
    variance = np.cumsum((shifted**2).sum(axis=2), axis=1) / counts - mean**2
    expected = (shifted - mean[..., None]) / np.sqrt(variance + 1e-8)[..., None]
    received = convert_to_numpy(CumulativeLayerNormalization()(x))
    np.testing.assert_allclose(received[:, 10:], expected[:, 10:], atol=1e-3)


def test_cumulative_in_a_streaming_model(rng):
    inputs, state = keras.Input((None, 4)), keras.Input((3,))
    model = keras.Model(
        [inputs, state], CumulativeLayerNormalization(return_state=True)(inputs, state=state)
    )
    x = rng.standard_normal((2, 6, 4)).astype("float32")
    whole = convert_to_numpy(CumulativeLayerNormalization()(x))
    first, middle = model.predict_on_batch([x[:, :2], np.zeros((2, 3), "float32")])
    rest, _ = model.predict_on_batch([x[:, 2:], middle])
    np.testing.assert_allclose(np.concatenate([first, rest], axis=1), whole, atol=1e-5)


# Keras' layers that ours do not repeat: name, layer, axes of one mean over (batch, frames,
# bins, channels).
KERAS = {
    "batch, each channel": (keras.layers.BatchNormalization(epsilon=1e-8), (0, 1, 2)),
    "batch, each bin": (keras.layers.BatchNormalization(axis=2, epsilon=1e-8), (0, 1, 3)),
    "instance": (keras.layers.GroupNormalization(groups=-1, epsilon=1e-8), (1, 2)),
    "layer, each frame and bin": (keras.layers.LayerNormalization(epsilon=1e-8), (3,)),
    "layer, each frame": (keras.layers.LayerNormalization(axis=(2, 3), epsilon=1e-8), (2, 3)),
}


@pytest.mark.parametrize("name", KERAS)
def test_what_keras_has(rng, name):
    layer, axes = KERAS[name]
    x = (3 * rng.standard_normal((2, 30, 5, 4)) + 1).astype("float32")
    received = convert_to_numpy(layer(x, training=True) if "batch" in name else layer(x))
    np.testing.assert_allclose(received, normalised(x, axes), atol=1e-4)


def test_groups_of_channels(rng):
    x = rng.standard_normal((2, 30, 5, 4)).astype("float32")
    received = convert_to_numpy(keras.layers.GroupNormalization(groups=2, epsilon=1e-8)(x))
    halves = [normalised(half, (1, 2, 3)) for half in np.split(x, 2, axis=-1)]
    np.testing.assert_allclose(received, np.concatenate(halves, axis=-1), atol=1e-4)


@pytest.mark.parametrize("axis", [2, -1, (2, 3), None])
def test_whitening_equals_numpy(rng, axis):
    batches = [1e4 + rng.gamma(2.0, size=(3, 20, 5, 2)) for _ in range(4)]
    layer = Whitening(axis)
    layer.adapt((batch, "target") for batch in batches)
    everything = np.concatenate(batches)
    rest = tuple(set(range(4)) - {index % 4 for index in np.ravel([] if axis is None else axis)})
    mean, deviation = everything.mean(axis=rest), everything.std(axis=rest)
    np.testing.assert_allclose(convert_to_numpy(layer.mean), mean, rtol=1e-7)
    np.testing.assert_allclose(convert_to_numpy(layer.deviation), deviation, rtol=1e-6)
    x = everything.astype("float32")
    expected = normalised(everything, rest, epsilon=0)
    np.testing.assert_allclose(convert_to_numpy(layer(x)), expected, atol=2e-3)


def test_whitening_starts_as_the_identity(rng):
    x = rng.standard_normal((2, 7, 5)).astype("float32")
    np.testing.assert_array_equal(convert_to_numpy(Whitening()(x)), x)


def test_whitening_is_saved_with_its_statistics(rng, tmp_path):
    x = rng.gamma(2.0, size=(3, 20, 5, 2)).astype("float32")
    inputs = keras.Input((None, 5, 2))
    model = keras.Model(inputs, Whitening(name="whitening")(inputs))
    model.get_layer("whitening").adapt([x])
    assert not model.trainable_variables
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(convert_to_numpy(again(x)), convert_to_numpy(model(x)))
    assert abs(convert_to_numpy(again(x)).std() - 1) < 1e-3
    # A second `adapt` starts again.
    again.get_layer("whitening").adapt([2 * x])
    assert abs(convert_to_numpy(again(2 * x)).std() - 1) < 1e-3


def test_whitening_far_from_zero_in_few_bits(rng, policy):
    """In bfloat16, 1000 +- 1 is a single value if cast before the mean is subtracted."""
    policy("mixed_bfloat16")
    x = (1000 + rng.standard_normal((2, 50, 3))).astype("float32")
    layer = Whitening()
    layer.adapt([x])
    received = convert_to_numpy(keras.ops.cast(layer(x), "float32"))
    np.testing.assert_allclose(received, normalised(x, (0, 1)), atol=0.02)


def test_whitening_takes_a_tf_data_dataset(rng):
    tf = pytest.importorskip("tensorflow")
    x = rng.standard_normal((10, 4, 3)).astype("float32")
    layer = Whitening()
    layer.adapt(tf.data.Dataset.from_tensor_slices((x, x)).batch(3))
    mean = convert_to_numpy(layer.mean)
    np.testing.assert_allclose(mean, x.mean(axis=(0, 1), dtype="float64"), atol=1e-7)


def test_whitening_keeps_a_silent_bin_in_bounds(rng):
    x = rng.standard_normal((2, 50, 3)).astype("float32")
    x[..., 1] = 0
    layer = Whitening()
    layer.adapt([x])
    loud = np.ones((1, 1, 3), "float32")
    assert np.abs(convert_to_numpy(layer(loud))).max() < 1.1e4


def test_whitening_refusals(rng):
    x = rng.standard_normal((2, 7, 5)).astype("float32")
    with pytest.raises(InputError, match="empty or silent"):
        Whitening().adapt([0 * x])
    for axis in (0, 3, -3, (0, 1)):
        with pytest.raises(InputError, match="set axis"):
            Whitening(axis)(x)
    layer = Whitening()
    layer(x)
    with pytest.raises(InputError, match="built for"):
        layer.adapt([x[..., :4]])
