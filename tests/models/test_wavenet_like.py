import numpy as np
import pytest

from kerasep import zoo
from kerasep.errors import InputError
from kerasep.importers import wavenet
from kerasep.models import WavenetLike
from tests.models.wavenet_original import original, save_as_keras_2

SOURCES = ["vocals", "drums", "bass", "other"]


def small(**changes):
    settings = {"filters": 6, "blocks": 4, "repeats": 2, "final_filters": (12, 5)}
    return WavenetLike(**{**settings, **changes})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "count"), [("singing", 3_277_249), ("multi_instrument", 3_277_763)]
)
def test_published_sizes(name, count):
    assert zoo.load(f"wavenet_like/{name}", weights=False).count_params() == count


@pytest.mark.parametrize("sources", [SOURCES[:2], SOURCES])
def test_equal_to_the_published_graph(sources, rng, tmp_path):
    """The original computes its target field alone, of which two samples at each end see zeros."""
    samples, outputs = 101, len(sources) - 1
    theirs, outside = original(samples, 6, 4, 2, (12, 5), outputs, first=81)
    for weight in theirs.weights:
        weight.assign(0.4 * rng.standard_normal(weight.shape))
    save_as_keras_2(theirs, tmp_path / "checkpoint.hdf5")
    model = wavenet.load(small(sources=sources), tmp_path / "checkpoint.hdf5")
    assert model.receptive_field == 2 * (outside + 1) + 1 == 61

    mixture = rng.standard_normal((2, samples)).astype("float32")
    expected = theirs.predict_on_batch(mixture)[:, 2:-2]
    estimates = model.predict_on_batch(mixture[..., None])[:, :, 0]
    field = slice(outside + 2, samples - outside - 2)
    assert np.abs(expected).max() > 0.5
    np.testing.assert_allclose(estimates[:, field, :-1], expected, rtol=0, atol=1e-5)
    rest = mixture - estimates[..., :-1].sum(axis=-1)
    np.testing.assert_allclose(estimates[..., -1], rest, rtol=0, atol=1e-5)


def test_reaches_as_far_as_it_says(rng):
    """Two convolutions after the sum see one sample more on each side."""
    model = small()
    for weight in model.weights:
        weight.assign(0.4 * rng.standard_normal(weight.shape))
    mixture = rng.standard_normal((1, 151, 1)).astype("float32")
    changed = mixture.copy()
    changed[:, 75] += 1
    difference = model.predict_on_batch(changed) - model.predict_on_batch(mixture)
    heard = np.flatnonzero(np.abs(difference[0, :, 0, 0]) > 0)
    # The first convolution sees one sample more, too.
    reach = model.receptive_field // 2 + 3
    assert (heard[0], heard[-1]) == (75 - reach, 75 + reach)


@pytest.mark.parametrize(
    "arguments",
    [{"sources": ["vocals"]}, {"blocks": 0}, {"final_filters": (4,)}, {"final_filters": (4, 0)}],
)
def test_refusals(arguments):
    with pytest.raises(InputError, match="received"):
        small(**arguments)
