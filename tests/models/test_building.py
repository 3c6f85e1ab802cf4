"""Arguments are checked before a model is built, and its size before weights take memory."""

import keras
import numpy as np
import pytest

from kerasep import zoo
from kerasep.errors import InputError
from kerasep.models import OpenUnmixLike, building
from kerasep.system import memory

SMALL = {"sources": ["vocals"], "sample_rate": 8000, "n_fft": 64, "hop": 16, "hidden": 8}


def test_the_model_is_as_its_class_makes_it():
    keras.utils.set_random_seed(3)
    expected = OpenUnmixLike(**SMALL)
    keras.utils.set_random_seed(3)
    model = building.build(OpenUnmixLike, SMALL)
    assert model.get_config() == expected.get_config()
    for ours, theirs in zip(model.weights, expected.weights, strict=True):
        assert ours.path == theirs.path
        np.testing.assert_array_equal(ours, theirs)
    magnitude = np.ones((1, 3, 33, 2), "float32")
    np.testing.assert_array_equal(model(magnitude), expected(magnitude))


def test_weights_take_no_memory_before_the_check():
    class EnoughError(Exception):
        pass

    def check(model):
        assert model.count_params() > 10**9
        raise EnoughError

    before = memory.peak()
    with pytest.raises(EnoughError):
        building.build(OpenUnmixLike, {**SMALL, "hidden": 10_000}, check)
    # Nor when the next model gets its weights.
    assert building.build(OpenUnmixLike, SMALL).hidden == 8
    assert memory.peak() - before < 300 << 20


def test_an_error_while_weights_get_values():
    """As when memory ends: the next model is none the worse."""

    def lacking(shape, dtype=None):
        raise MemoryError

    class Lacking(OpenUnmixLike):
        def __init__(self, hidden=8):
            super().__init__(**{**SMALL, "hidden": hidden})
            keras.layers.Dense(2, kernel_initializer=lacking).build((None, 3))

    with pytest.raises(MemoryError):
        building.build(Lacking, {})
    model = building.build(OpenUnmixLike, SMALL)
    assert np.isfinite(model(np.ones((1, 3, 33, 2), "float32"))).all()


def test_a_model_that_does_not_fit(monkeypatch):
    monkeypatch.setattr(memory, "free", lambda: 100_000)
    with pytest.raises(InputError, match=r"weights take .* GB, expected less than the 0\.0001 GB"):
        zoo.load("open_unmix_like/small")


@pytest.mark.parametrize("value", [10**9, 10**400, float("nan"), "8", None, [8], True])
def test_arguments_of_the_zoos_models(value):
    with pytest.raises(InputError, match="received hidden="):
        zoo.load("open_unmix_like", hidden=value)


def test_errors_of_keras_about_an_argument():
    class Dense:
        def __init__(self, units=3):
            keras.layers.Dense(units)

    with pytest.raises(InputError, match="received units=-3, of which no Dense can be made: "):
        building.build(Dense, {"units": -3})


def test_numpys_numbers_are_numbers():
    building.check_arguments(OpenUnmixLike, {"hidden": np.int64(8), "dropout": np.float32(0.5)})


def test_every_preset_passes():
    for name in zoo.list_entries():
        card = zoo.describe(name)
        cls = getattr(zoo.registry.models, card["class"])
        building.check_arguments(cls, {**card["arguments"], "name": "some-model_1"})


def test_the_first_line_of_an_error():
    assert building.first_line(ValueError("Cannot load:\nno such layer\nat all")) == (
        "Cannot load: no such layer"
    )
    assert building.first_line(ValueError()) == "ValueError"


def test_layers_are_counted():
    assert building.layer_count({"blocks": 8, "repeats": 3, "sources": ["vocals"]}) == 24
    assert building.layer_count({"levels": 2, "filters": [1, 2, 3]}, lists=False) == 2
