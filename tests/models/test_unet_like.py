"""The U-Net: the published sizes, any size, and a mask that does not depend on the level."""

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import zoo
from kerasep.errors import InputError
from kerasep.models import UNetLike
from kerasep.models.unet_like import to_unit_peak

FILTERS = [16, 32, 64, 128, 256, 512]


def small(**changes):
    settings = {"sample_rate": 8000, "n_fft": 128, "hop": 32, "filters": [4, 6, 8], "dropout": 0.0}
    return UNetLike(**{**settings, **changes})


def count(weights):
    return sum(int(np.prod(tuple(weight.shape))) for weight in weights)


def outputs_of(model, names, x):
    probe = keras.Model(model.input, [model.get_layer(name).output for name in names])
    return probe.predict_on_batch(x)


def test_shapes_of_the_published_network():
    """The paper's figure: 512 bins x 128 frames, halved to 8 x 2 with 512 channels, and back."""
    model = UNetLike(n_fft=1022, hop=511)
    down = [f"vocals_down{depth}" for depth in range(1, 7)]
    up = [f"vocals_up{depth}" for depth in range(5, 0, -1)]
    found = outputs_of(model, [*down, *up], np.ones((1, 128, 512, 1), "float32"))
    sizes = [(128 >> depth, 512 >> depth) for depth in range(1, 7)]
    expected = [(1, *size, filters) for size, filters in zip(sizes, FILTERS, strict=True)]
    # Each decoder block is joined by the encoder block of its size.
    expected += [(*shape[:3], 2 * shape[3]) for shape in expected[4::-1]]
    assert [array.shape for array in found] == expected


def test_size_of_the_published_network():
    """5x5 kernels, a scale and a shift for each channel, and the last bias."""
    model = zoo.load("unet_like/singing", sources=["vocals"])
    channels = [1, *FILTERS]
    kernels = sum(a * b for a, b in zip(channels, FILTERS, strict=False))
    kernels += 512 * 256 + sum(2 * a * b for a, b in zip(FILTERS[:5], channels, strict=False))
    norms = sum(FILTERS) + sum(FILTERS[:5])
    assert count(model.trainable_weights) == 25 * kernels + 2 * norms + 1 == 9_821_809
    assert count(model.non_trainable_weights) == 2 * norms


def test_dropout_in_the_first_three_decoder_blocks():
    model = UNetLike(filters=[2] * 6, dropout=0.4)
    rates = [model.get_layer(f"vocals_up{depth}").dropout for depth in range(5, 0, -1)]
    assert rates == [0.4, 0.4, 0.4, 0, 0]


def test_each_source_has_its_own_network():
    assert small(sources=["a", "b", "c"]).count_params() == 3 * small().count_params()


def test_the_level_changes_no_mask(rng):
    model = small()
    magnitude = rng.random((1, 21, 65, 1), "float32")
    expected = model.predict_on_batch(magnitude)
    for level in (1e-4, 100):
        outputs = model.predict_on_batch(level * magnitude)
        np.testing.assert_allclose(outputs, level * expected, rtol=1e-4, atol=1e-7 * level)


def test_examples_are_scaled_by_themselves(rng):
    model = small()
    magnitude = rng.random((2, 21, 65, 1), "float32")
    magnitude[1] *= 50
    expected = model.predict_on_batch(magnitude[:1])
    np.testing.assert_allclose(model.predict_on_batch(magnitude)[:1], expected, atol=1e-6)


def test_the_mixture_is_not_rounded_under_mixed_precision(rng, policy):
    policy("mixed_bfloat16")
    model = small()
    magnitude = rng.random((1, 9, 65, 1), "float32")
    model.get_layer("vocals_mask").conv.bias.assign([100.0])  # the mask is 1 everywhere
    np.testing.assert_array_equal(model.predict_on_batch(magnitude)[..., 0], magnitude)


def test_masks_are_between_0_and_1(rng):
    magnitude = rng.random((2, 21, 65, 1), "float32") + 0.1
    masks = convert_to_numpy(small()(magnitude, training=True)) / magnitude[..., None]
    assert masks.min() >= 0
    assert masks.max() <= 1 + 1e-6


@pytest.mark.parametrize("filters", [[], 16, [4, 0], "16"])
def test_refusals(filters):
    with pytest.raises(InputError, match="received filters="):
        small(filters=filters)


def test_each_example_has_a_peak_of_one():
    x = np.array([8.0, 2.0, 0.0, 0.0], "float32").reshape(2, 1, 2, 1)
    np.testing.assert_array_equal(convert_to_numpy(to_unit_peak(x)).ravel(), [1, 0.25, 0, 0])
