"""Demucs: its published size, the lengths it takes, and its parts."""

import math

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import zoo
from kerasep.errors import InputError
from kerasep.models import DemucsLike
from kerasep.models.demucs_like import valid_lengths


def small(**changes):
    settings = {"sources": ["a", "b"], "sample_rate": 8000, "channels": 1, "filters": 4}
    return DemucsLike(**{**settings, "levels": 2, "lstm_layers": 1, **changes})


def numbers(shapes):
    return sum(math.prod(shape) for shape in shapes)


def transposes(name):
    return name.startswith("decoder") and name.endswith("2")


def released(filters, channels=2, sources=4, levels=6):
    """Return the names and shapes of the released network's weights."""
    shapes = {}
    features, width = channels, filters
    for level in range(levels):
        up = levels - 1 - level
        outputs = features if level else channels * sources
        shapes[f"encoder.{level}.0"] = (width, features, 8)
        shapes[f"encoder.{level}.2"] = (2 * width, width, 1)
        shapes[f"decoder.{up}.0"] = (2 * width, width, 3)
        shapes[f"decoder.{up}.2"] = (width, outputs, 8)
        features, width = width, 2 * width
    return shapes, features


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["demucs", "demucs48_hq"])
def test_size_of_the_released_networks(preset):
    """Convolutions with a bias each, two LSTM layers of two directions, one dense layer.

    The original's LSTM adds two biases; Keras' has one, their sum.
    """
    model = zoo.load(f"demucs_like/{preset}")
    shapes, bottom = released(model.filters)
    # PyTorch's transposed convolutions have (in, out, kernel).
    transposed = [shape[1] for name, shape in shapes.items() if transposes(name)]
    plain = [shape[0] for name, shape in shapes.items() if not transposes(name)]
    lstm = 2 * 4 * bottom * (bottom + bottom + 1) + 2 * 4 * bottom * (2 * bottom + bottom + 1)
    dense = 2 * bottom * bottom + bottom
    assert model.count_params() == numbers(shapes.values()) + sum(transposed + plain) + lstm + dense


def original_length(length, levels, kernel_size, stride, context, resample):
    """Compute the next valid length of the original, level by level."""
    length *= 1 + resample
    for _ in range(levels):
        length = max(1, math.ceil((length - kernel_size) / stride) + 1) + context - 1
    for _ in range(levels):
        length = (length - 1) * stride + kernel_size
    return math.ceil(length / (1 + resample))


@pytest.mark.parametrize("resample", [False, True])
@pytest.mark.parametrize(
    ("levels", "kernel_size", "stride", "context"),
    [(6, 8, 4, 3), (1, 8, 4, 3), (3, 8, 4, 1), (4, 6, 2, 3), (2, 4, 4, 2)],
)
def test_lengths_are_the_originals(levels, kernel_size, stride, context, resample):
    arguments = (levels, kernel_size, stride, context, resample)
    step, least, reach = valid_lengths(*arguments)
    for length in [1, reach - 1, reach, reach + 1, reach + step, reach + step + 1, 100_000]:
        steps = max(0, -((reach - length) // step))
        assert least + steps * step == original_length(length, *arguments)


@pytest.mark.parametrize("resample", [False, True])
def test_any_length(rng, resample):
    """Louder mixtures give louder sources; the deviation of one sample counts as zero."""
    model = small(resample=resample)
    for samples in (2, 333, 1):
        mixture = 0.1 * rng.standard_normal((2, samples, 1)).astype("float32")
        estimates = convert_to_numpy(model(mixture))
        assert estimates.shape == (2, samples, 1, 2)
        if samples > 1:
            louder = convert_to_numpy(model(10 * mixture))
            np.testing.assert_allclose(louder, 10 * estimates, rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(estimates, np.stack([mixture] * 2, axis=-1), atol=1e-4)


def test_level_and_offset_of_the_mixture_are_kept(rng):
    """Normalised inside, a mixture ten times as loud gives sources ten times as loud."""
    model = small()
    mixture = 0.1 * rng.standard_normal((1, 500, 1)).astype("float32")
    expected = model.predict_on_batch(mixture)
    louder = model.predict_on_batch(10 * mixture + 1)
    np.testing.assert_allclose(louder - 1, 10 * expected, rtol=2e-3, atol=2e-3)
    plain = small(normalize=False)
    plain.set_weights(model.get_weights())
    assert np.abs(plain.predict_on_batch(10 * mixture) - 10 * expected).max() > 0.01


@pytest.mark.parametrize("rescale", [None, 0.1, 0.01])
def test_initial_weights(rescale):
    """Weights are uniform as in PyTorch, divided by sqrt(deviation / reference)."""
    keras.utils.set_random_seed(0)
    model = small(filters=32, rescale=rescale)
    inputs = {"encoder_0_conv": 8, "encoder_1_conv": 8 * 32, "decoder_1_conv": 8 * 32}
    for name, count in inputs.items():
        limit = count**-0.5
        if rescale is not None:
            limit /= (limit / 3**0.5 / rescale) ** 0.5
        layer = model.get_layer(name)
        for weight in (layer.kernel, layer.bias):
            largest = np.abs(convert_to_numpy(weight)).max()
            assert 0.85 * limit < largest <= limit


def test_sources_and_channels_keep_their_places():
    """The last transposed convolution returns source by source, channel by channel."""
    model = small(channels=2, resample=False, normalize=False)
    last = model.get_layer("decoder_0_conv")
    last.kernel.assign(0 * last.kernel)
    last.bias.assign([1.0, 2.0, 3.0, 4.0])
    estimates = model.predict_on_batch(np.zeros((1, 50, 2), "float32"))
    np.testing.assert_array_equal(estimates[0, 20], [[1, 3], [2, 4]])


@pytest.mark.parametrize(
    "arguments",
    [{"levels": 0}, {"stride": 9}, {"context": 9}, {"stride": 3}, {"rescale": 0}, {"filters": 0}],
)
def test_refusals(arguments):
    with pytest.raises(InputError, match="received"):
        small(**arguments)


def test_lengths_of_the_published_network():
    assert valid_lengths(6, 8, 4, 3, True) == (2048, 8874, 3414)
