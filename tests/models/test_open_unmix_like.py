"""Open-Unmix: its size, bandwidth, directions in time, and normalisation."""

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import zoo
from kerasep.errors import InputError
from kerasep.models import OpenUnmixLike
from kerasep.models.open_unmix_like import bin_statistics, bins_below


def small(**changes):
    settings = {
        "sample_rate": 8000,
        "channels": 1,
        "n_fft": 128,
        "hop": 32,
        "hidden": 16,
        "lstm_layers": 2,
        "max_hz": 2000,
    }
    return OpenUnmixLike(**{**settings, **changes})


def masks(model, magnitude):
    return model.predict_on_batch(magnitude) / magnitude[..., None]


def count(weights):
    return sum(np.prod(tuple(weight.shape)) for weight in weights)


def test_size_of_the_published_network():
    """The released network has 8,893,348 parameters, of which Keras needs fewer.

    PyTorch's LSTM adds two biases, Keras' has one, their sum: 3 layers of 2 directions save
    4 * 256 numbers each. Beside them it keeps mean and variance for 3 batch normalisations, of
    512, 512 and 2 * 2049 features, which are not trained.
    """
    model = zoo.load("open_unmix_like/umxhq", sources=["vocals"])
    second_biases = 3 * 2 * 4 * 256
    running = [weight for weight in model.weights if "moving" in weight.path]
    assert count(model.trainable_weights) == 8_893_348 - second_biases
    assert count(running) == 2 * (512 + 512 + 2 * 2049)
    assert len(model.weights) == len(model.trainable_weights) + len(running)


def test_each_source_has_its_own_network():
    one, three = small(), small(sources=["a", "b", "c"])
    assert three.count_params() == 3 * one.count_params()


def test_bridges_join_the_networks(rng):
    """Bridges have no weights. The mask of one source depends on the networks of the others."""
    apart, joined = small(sources=["a", "b"]), small(sources=["a", "b"], bridged=True)
    assert [w.shape for w in joined.weights] == [w.shape for w in apart.weights]
    magnitude = rng.random((1, 9, 65, 1), "float32") + 0.1
    for model, heard in [(apart, False), (joined, True)]:
        before = masks(model, magnitude)
        model.get_layer("b_fc1").kernel.assign(0 * model.get_layer("b_fc1").kernel)
        change = np.abs(masks(model, magnitude) - before)[..., 0].max()
        assert (change > 1e-4) == heard
    alone = small(bridged=True)
    same = small()
    same.set_weights(alone.get_weights())
    np.testing.assert_array_equal(masks(alone, magnitude), masks(same, magnitude))


def test_bandwidth(rng):
    """Bins above `max_hz` are masked like the others, and no network sees them."""
    model = small()
    seen = bins_below(2000, 128, 8000)
    assert seen == 33
    magnitude = rng.random((1, 9, 65, 1), "float32") + 0.1
    changed = magnitude.copy()
    changed[:, :, seen:] *= 5
    expected = masks(model, magnitude)
    assert expected[:, :, seen:].any()
    np.testing.assert_allclose(masks(model, changed), expected, rtol=1e-4)
    changed[:, :, seen - 1] *= 5
    assert np.abs(masks(model, changed) - expected).max() > 1e-3


@pytest.mark.parametrize("bidirectional", [False, True])
def test_direction_of_time(rng, bidirectional):
    model = small(bidirectional=bidirectional)
    magnitude = rng.random((1, 12, 65, 1), "float32")
    changed = magnitude.copy()
    changed[:, 8:] += 1
    difference = np.abs(model.predict_on_batch(changed) - model.predict_on_batch(magnitude))
    assert difference[:, 8:].max() > 1e-3
    if bidirectional:
        assert difference[:, :8].max() > 1e-4
        assert model.latency is None
    else:
        assert difference[:, :8].max() < 1e-6
        assert model.latency == 128


def test_the_mixture_is_not_rounded_under_mixed_precision(rng, policy):
    policy("mixed_bfloat16")
    model = small()
    magnitude = rng.random((1, 9, 65, 1), "float32") + 0.1
    # With scale 0 and shift 1 the mask is 1 everywhere.
    model.get_layer("vocals_output").scale.assign(np.zeros(65))
    np.testing.assert_array_equal(model.predict_on_batch(magnitude)[..., 0], magnitude)


def test_adapt(rng):
    model = small(sources=["a", "b"], channels=2)
    batches = [rng.gamma(2.0, size=(3, 20, 65, 2)).astype("float32") for _ in range(4)]
    for batch in batches:
        batch[..., 5, :] = 0.5  # without deviation
    model.adapt((batch, None) for batch in batches)
    frames = np.concatenate(batches).astype("float64").mean(axis=-1).reshape(-1, 65)
    deviation = np.maximum(frames.std(axis=0), 1e-4 * frames.std(axis=0).max())
    for source in "ab":
        layer = model.get_layer(f"{source}_input")
        shift, scale = convert_to_numpy(layer.shift), convert_to_numpy(layer.scale)
        np.testing.assert_allclose(shift, -frames.mean(axis=0)[:33], rtol=1e-5)
        np.testing.assert_allclose(scale, 1 / deviation[:33], rtol=1e-5)


def test_statistics_hold_at_a_large_offset(rng):
    """The deviation of numbers around 1e4 drowns in float32's sums of squares."""
    batches = [1e4 + rng.standard_normal((4, 50, 8, 1)) for _ in range(20)]
    mean, deviation = bin_statistics(batches)
    frames = np.concatenate(batches).reshape(-1, 8)
    np.testing.assert_allclose(mean, frames.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(deviation, frames.std(axis=0), rtol=1e-9)


@pytest.mark.parametrize("batches", [[], [np.zeros((2, 5, 65, 1))]])
def test_nothing_to_adapt_to(batches):
    with pytest.raises(InputError, match="empty or silent"):
        small().adapt((batch, None) for batch in batches)


@pytest.mark.parametrize(
    ("max_hz", "n_fft", "rate", "bins"),
    [
        (16000, 4096, 44100, 1487),
        (None, 4096, 44100, 2049),
        (99999, 512, 8000, 257),
        (4000, 512, 8000, 257),
        (1, 512, 8000, 1),
    ],
)
def test_bins_below(max_hz, n_fft, rate, bins):
    assert bins_below(max_hz, n_fft, rate) == bins


@pytest.mark.parametrize("arguments", [{"max_hz": 0}, {"hidden": 15}, {"lstm_layers": 0}])
def test_refusals(arguments):
    with pytest.raises(InputError, match="received"):
        small(**arguments)
