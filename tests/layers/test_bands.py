"""Bands, rotary positions and transformers, by their values."""

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep.errors import InputError
from kerasep.layers import AxialTransformer, BandMasks, BandSplit, RotaryPositions


def test_a_band_sees_its_own_bins_at_any_level(rng):
    layer = BandSplit([(0, 2), (1, 5)], features=3)
    x = rng.standard_normal((1, 2, 6, 2, 2)).astype("float32")
    before = convert_to_numpy(layer(x))
    np.testing.assert_allclose(convert_to_numpy(layer(1e-6 * x)), before, atol=1e-5)
    x[:, :, 0] += 1.0
    changed = np.abs(convert_to_numpy(layer(x)) - before).max(axis=(0, 1, 3)) > 1e-3
    assert changed.tolist() == [True, False]
    x[:, :, 5] += 1.0
    after = convert_to_numpy(layer(x))
    x[:, :, 5] += 1.0
    np.testing.assert_array_equal(convert_to_numpy(layer(x)), after)


def test_a_band_is_normalised_by_its_root_mean_square(rng):
    layer = BandSplit([(0, 2)], features=3)
    x = rng.standard_normal((1, 1, 2, 1, 2)).astype("float32")
    layer(x)
    values = x.ravel() / np.sqrt(np.mean(x**2))
    expected = values @ convert_to_numpy(layer.projections[0].kernel)
    np.testing.assert_allclose(convert_to_numpy(layer(x)).ravel(), expected, atol=1e-5)


def test_masks_of_overlapping_bands_are_averaged(rng):
    bands = [(0, 2), (1, 4), (2, 4), (5, 6)]
    layer = BandMasks(bands, channels=1, hidden=4)
    x = rng.standard_normal((1, 3, 4, 5)).astype("float32")
    mask = convert_to_numpy(layer(x))
    total, counts = np.zeros((1, 3, 6, 1, 2)), np.zeros((6, 1, 1))
    for index, (start, stop) in enumerate(bands):
        hidden, outputs = layer.networks[index]
        y = np.tanh(x[:, :, index] @ convert_to_numpy(hidden.kernel))
        values, gates = np.split(y @ convert_to_numpy(outputs.kernel), 2, axis=-1)
        y = values / (1 + np.exp(-gates))
        total[:, :, start:stop] += y.reshape(1, 3, stop - start, 1, 2)
        counts[start:stop] += 1
    np.testing.assert_allclose(mask, total / np.maximum(counts, 1), atol=1e-5)
    assert not mask[:, :, 4].any()


def test_rotary_positions_leave_only_the_distance(rng):
    query, key = rng.standard_normal((2, 1, 1, 1, 8)).astype("float32")
    repeated = [np.repeat(x, 900, axis=1) for x in (query, key)]
    query, key = (convert_to_numpy(RotaryPositions()(x))[0, :, 0] for x in repeated)
    for distance in (0, 1, 40):
        products = np.sum(query[distance:] * key[: len(key) - distance], axis=-1)
        np.testing.assert_allclose(products, products[0], atol=2e-3)
    assert np.ptp(query @ key[0]) > 1


@pytest.mark.parametrize(("axis", "other"), [(1, 2), (2, 1)])
def test_a_transformer_mixes_along_one_axis(rng, axis, other):
    layer = AxialTransformer(axis, heads=2, head_features=4)
    x = rng.standard_normal((1, 4, 5, 6)).astype("float32")
    before = convert_to_numpy(layer(x))
    x[0, 1, 2] += 1.0
    changed = np.abs(convert_to_numpy(layer(x)) - before).max(axis=-1)[0] > 1e-6
    along = np.moveaxis(changed, axis - 1, -1)
    assert along[(2, 1)[axis - 1]].all()
    assert along.sum() == along.shape[-1]


@pytest.mark.parametrize("bands", [[], [(0, 0)], [(3, 5), (0, 2)], [(0, 2, 3)], [(-1, 2)]])
def test_bands_that_are_none(bands):
    for layer in (BandSplit, BandMasks):
        with pytest.raises(InputError, match=r"received bands=.*expected pairs"):
            layer(bands)


def test_refusals():
    with pytest.raises(InputError, match="a spectrum of 5 bins for bands up to bin 6"):
        BandSplit([(0, 6)]).build((None, None, 5, 2, 2))
    with pytest.raises(InputError, match="received 3 features, expected an even number"):
        RotaryPositions().build((None, None, 2, 3))
    with pytest.raises(InputError, match="received axis=3, expected 1 for frames"):
        AxialTransformer(axis=3)
