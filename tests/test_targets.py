"""Targets against complex numbers in float64."""

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import targets
from kerasep.errors import InputError

FUNCTIONS = [
    targets.magnitude_target,
    targets.phase_sensitive_target,
    targets.truncated_phase_sensitive_target,
    targets.ideal_binary_mask,
    targets.ideal_ratio_mask,
    targets.ideal_phase_sensitive_mask,
]


def pairs(spectrum):
    return np.stack([spectrum.real, spectrum.imag], axis=-1).astype("float32")


@pytest.fixture
def stems(rng):
    """Complex spectra `(batch, frames, bins, channels, sources)`."""
    shape = (2, 7, 5, 2, 3)
    return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)


def packed(mixture, stems):
    return convert_to_numpy(targets.pack_reference(pairs(mixture), pairs(stems)))


@pytest.fixture
def reference(stems):
    return packed(stems.sum(axis=-1), stems)


def test_packing(reference, stems):
    mixture, sources = targets.unpack_reference(reference)
    np.testing.assert_array_equal(mixture, pairs(stems.sum(axis=-1)))
    np.testing.assert_array_equal(sources, pairs(stems))


def test_magnitude(reference, stems):
    received = convert_to_numpy(targets.magnitude_target(reference))
    np.testing.assert_allclose(received, np.abs(stems), rtol=1e-5)


@pytest.mark.parametrize("limit", [1.0, 1.5])
def test_phase_sensitive(reference, stems, limit):
    mixture = stems.sum(axis=-1)[..., None]
    expected = np.abs(stems) * np.cos(np.angle(stems) - np.angle(mixture))
    received = convert_to_numpy(targets.phase_sensitive_target(reference))
    np.testing.assert_allclose(received, expected, atol=1e-5)
    clipped = np.clip(expected, 0, limit * np.abs(mixture))
    received = convert_to_numpy(targets.truncated_phase_sensitive_target(reference, limit))
    np.testing.assert_allclose(received, clipped, atol=1e-5)
    mask = convert_to_numpy(targets.ideal_phase_sensitive_mask(reference, limit))
    np.testing.assert_allclose(mask * np.abs(mixture), clipped, atol=1e-5)
    assert 0 <= mask.min() <= mask.max() <= limit + 1e-6


def test_ideal_binary_mask(reference, stems):
    rest = stems.sum(axis=-1)[..., None] - stems
    received = convert_to_numpy(targets.ideal_binary_mask(reference))
    np.testing.assert_array_equal(received, np.abs(stems) > np.abs(rest))


def test_ideal_ratio_mask(reference, stems):
    expected = np.abs(stems) / np.abs(stems).sum(axis=-1, keepdims=True)
    received = convert_to_numpy(targets.ideal_ratio_mask(reference))
    np.testing.assert_allclose(received, expected, atol=1e-4)


def test_what_is_in_no_source_counts_as_one_more(stems):
    mixture = stems.sum(axis=-1)
    levels = np.abs(stems) / np.abs(stems).sum(axis=-1, keepdims=True)
    reference = packed(mixture, stems[..., :2])
    np.testing.assert_allclose(
        convert_to_numpy(targets.ideal_ratio_mask(reference)), levels[..., :2], atol=1e-5
    )


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
@pytest.mark.parametrize("level", [0.0, 1e-8, 1e4])
def test_every_level(reference, function, level):
    received = convert_to_numpy(function(level * reference))
    assert received.dtype == "float32"
    if level == 0:
        np.testing.assert_array_equal(received, np.zeros((2, 7, 5, 2, 3)))
        return
    # Targets have the level of the mixture, and masks do not depend on it.
    expected = convert_to_numpy(function(reference))
    scale = level if function.__name__.endswith("target") else 1
    np.testing.assert_allclose(received, scale * expected, rtol=1e-4, atol=1e-5 * scale)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
@pytest.mark.parametrize("shape", [(2, 7, 5, 2, 3), (2, 7, 5, 2, 3, 1), (2, 7, 5, 2, 1, 2)])
def test_what_is_no_reference(function, shape):
    with pytest.raises(InputError, match="expected the packed reference"):
        function(np.zeros(shape, "float32"))


@pytest.mark.parametrize(
    ("mixture", "sources"),
    [
        ((1, 7, 5, 2, 2), (1, 7, 5, 2, 2)),
        ((7, 5, 2, 2), (1, 7, 5, 2, 3, 2)),
        ((1, 7, 5, 1, 2), (1, 7, 5, 2, 3, 2)),
        ((1, 7, 5, 2), (1, 7, 5, 2, 3, 2)),
    ],
)
def test_what_cannot_be_packed(mixture, sources):
    with pytest.raises(InputError, match=r"received mixture.*expected"):
        targets.pack_reference(np.zeros(mixture), np.zeros(sources))


def test_dominant_source(reference, stems):
    expected = np.eye(4)[np.abs(stems).argmax(axis=-1)]
    received = convert_to_numpy(targets.dominant_source(reference))
    np.testing.assert_array_equal(received, expected)


def test_dominant_source_may_be_in_no_source(stems):
    expected = np.eye(3)[np.abs(stems).argmax(axis=-1)]
    received = convert_to_numpy(targets.dominant_source(packed(stems.sum(axis=-1), stems[..., :2])))
    np.testing.assert_array_equal(received, expected)
