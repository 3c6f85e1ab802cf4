"""Spleeter: its size, the input of its networks, and how they divide the mixture."""

import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import zoo
from kerasep.errors import InputError
from kerasep.models import SpleeterLike

SEGMENT, LEAD, SEEN = 16, 2, 33


def small(**changes):
    settings = {
        "sample_rate": 8000,
        "n_fft": 128,
        "hop": 32,
        "filters": [4, 6, 8],
        "max_hz": 2000,
        "segment": SEGMENT,
        "dropout": 0.0,
    }
    return SpleeterLike(**{**settings, **changes})


def difference(model, magnitude, changed):
    outputs = [model.predict_on_batch(array)[:, :, :SEEN] for array in (magnitude, changed)]
    return np.abs(outputs[0] - outputs[1])


@pytest.mark.parametrize("preset", ["2stems", "4stems", "5stems"])
def test_size_of_the_published_networks(preset):
    model = zoo.load(f"spleeter_like/{preset}")
    assert len(model.sources) == int(preset[0])
    assert model.count_params() == len(model.sources) * 9_824_711


@pytest.mark.parametrize(("preset", "seen"), [("2stems", 1024), ("2stems_16khz", 1536)])
def test_bins_of_the_published_settings(preset, seen):
    assert zoo.load(f"spleeter_like/{preset}", filters=[2]).seen == seen


def test_dropout_in_the_first_three_decoder_blocks():
    model = small(sources=["x"], filters=[2] * 6, dropout=0.4)
    rates = {layer.name: layer.rate for layer in model.layers if hasattr(layer, "rate")}
    assert rates == {"x_up6_dropout": 0.4, "x_up5_dropout": 0.4, "x_up4_dropout": 0.4}


def test_segments_know_nothing_of_each_other(rng):
    magnitude = rng.random((1, 40, 65, 2), "float32")
    changed = magnitude.copy()
    first = SEGMENT - LEAD
    changed[:, first : first + SEGMENT] *= 2
    exact = difference(small(), magnitude, changed)
    assert exact[:, first : first + SEGMENT].min(axis=(2, 3)).max() > 0
    assert not exact[:, :first].any()
    assert not exact[:, first + SEGMENT :].any()
    whole = difference(small(exact=False), magnitude, changed)
    assert whole[:, first - 1].any()
    assert whole[:, first + SEGMENT].any()


@pytest.mark.parametrize("exact", [True, False])
def test_bandwidth(rng, exact):
    model = small(exact=exact)
    magnitude = rng.random((1, 20, 65, 2), "float32")
    changed = magnitude.copy()
    changed[:, :, SEEN:] *= 3
    assert difference(model, magnitude, changed).any() != exact
    assert model.predict_on_batch(magnitude)[:, :, SEEN:].any() != exact
    assert convert_to_numpy(model.estimate(magnitude))[:, :, SEEN:].any() != exact


def test_the_same_weights_without_segments(rng):
    """With one segment and all bins, `exact` only adds leading frames of zeros."""
    exact, whole = small(max_hz=None), small(exact=False)
    whole.set_weights(exact.get_weights())
    magnitude = rng.random((1, SEGMENT - LEAD, 65, 2), "float32")
    padded = np.pad(magnitude, ((0, 0), (LEAD, 0), (0, 0), (0, 0)))
    expected = exact.predict_on_batch(magnitude)
    np.testing.assert_allclose(whole.predict_on_batch(padded)[:, LEAD:], expected, atol=1e-6)


def test_shares_by_squares(rng):
    model = small(extension="average")
    magnitude = rng.random((1, 20, 65, 2), "float32") + 0.1
    squares = model.predict_on_batch(magnitude).astype("float64")[:, :, :SEEN] ** 2
    shares = (squares + 0.5e-10) / (squares.sum(axis=-1, keepdims=True) + 1e-10)
    above = np.repeat(shares.mean(axis=2, keepdims=True), 65 - SEEN, axis=2)
    expected = np.concatenate([shares, above], axis=2) * magnitude[..., None]
    estimates = convert_to_numpy(model.estimate(magnitude))
    np.testing.assert_allclose(estimates, expected, rtol=1e-4)
    np.testing.assert_allclose(estimates.sum(axis=-1), magnitude, rtol=1e-4)


def test_a_softmax_shares_the_outputs_already(rng):
    model = small(sources=["a", "b", "c"], mask="softmax", activation="elu", exact=False)
    magnitude = rng.random((1, 20, 65, 2), "float32")
    outputs = model.predict_on_batch(magnitude)
    np.testing.assert_allclose(outputs.sum(axis=-1), magnitude, rtol=1e-5)


def test_the_only_stem_is_the_output(rng):
    model = small(sources=["vocals"])
    magnitude = rng.random((1, 20, 65, 2), "float32")
    np.testing.assert_array_equal(
        convert_to_numpy(model.estimate(magnitude)), convert_to_numpy(model(magnitude))
    )


def test_refusals():
    for changes, message in [
        ({"activation": "relu"}, "activation='relu'"),
        ({"mask": "tanh"}, "mask='tanh'"),
        ({"extension": "none"}, "extension='none'"),
        ({"segment": 0}, "received"),
        ({"max_hz": 0}, "max_hz=0"),
        ({"mask": "softmax", "sources": ["vocals"]}, "mask='softmax' for one source"),
    ]:
        with pytest.raises(InputError, match=message):
            small(**changes)
