"""Models that are cloned, copied or saved keep their class, attributes and precision."""

import copy
import gc
import pathlib
import sys
import weakref

import keras
import numpy as np
import pytest

import kerasep
from kerasep import models, zoo
from kerasep.system.keras_private import flatten_layers

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from test_every_model import arrays, assert_same, example, mixture, shared

COPIED = sorted({zoo.describe(name)["class"] for name in zoo.list_entries()})
if keras.backend.backend() != "tensorflow":  # the rest is Keras' alone
    COPIED = ["ConvTasNetLike", "OpenUnmixLike"]


def known(model):
    model.preset, model.licence = "mine/one", "MIT"
    model.recipe = {"epochs": 3, "data": {"gain": [0.5, 1.0]}}
    return model


def attributes(model):
    names = ("sources", "sample_rate", "channels", "domain", "latency", "interchangeable", "stft")
    names += ("preset", "licence", "recipe", "name")
    return {name: getattr(model, name) for name in names}


@pytest.mark.parametrize(
    "copied", [keras.models.clone_model, copy.deepcopy], ids=["clone", "deepcopy"]
)
@pytest.mark.parametrize("name", COPIED)
def test_copies_know_what_the_model_knows(name, copied):
    model_class = getattr(models, name)
    model = known(shared(model_class))
    twin = copied(model)
    assert type(twin) is model_class
    assert attributes(twin) == attributes(model)
    assert twin.get_config() == model.get_config()
    x = mixture(model)
    if copied is copy.deepcopy:
        assert_same(twin(x), model(x))
    twin.set_weights(model.get_weights())
    assert_same(arrays(twin.estimate(x)), arrays(model.estimate(x)))
    twin.set_weights([0.5 * weight for weight in twin.get_weights()])
    again = copied(twin)
    assert attributes(again) == attributes(model)
    assert len(again.weights) == len(model.weights)


@pytest.mark.parametrize(
    "copied", [keras.models.clone_model, copy.deepcopy], ids=["clone", "deepcopy"]
)
@pytest.mark.parametrize("entry", ["unet_like", "conv_tasnet_like", "deep_clustering_like"])
def test_copies_of_separators(entry, copied):
    tiny = kerasep.zoo.describe(entry)["tiny"]
    separator = kerasep.Separator(known(kerasep.zoo.load(entry, **tiny)), consistent=True)
    twin = copied(separator)
    assert type(twin) is kerasep.Separator
    assert twin.get_config() == separator.get_config()
    assert twin.sources == separator.sources
    assert attributes(twin.model) == attributes(separator.model)
    twin.set_weights(separator.get_weights())
    x = np.random.default_rng(0).standard_normal((1, 4000, twin.channels)).astype("float32")
    assert_same(twin(x), separator(x))


@pytest.mark.slow
def test_the_precision_of_every_model_is_saved(model_class, policy, tmp_path):
    check_saved_precision(model_class, policy, tmp_path, "mixed_bfloat16")


def test_the_precision_is_saved(policy, tmp_path):
    check_saved_precision(models.MaskInferenceLike, policy, tmp_path, "mixed_float16")


def check_saved_precision(model_class, policy, tmp_path, dtype):
    policy(dtype)
    model = example(model_class)
    x = mixture(model)
    expected = arrays(model(x))
    model.save(tmp_path / "model.keras")
    config = model.get_config()
    policy("float32")
    again = keras.saving.load_model(tmp_path / "model.keras")
    copies = [again, copy.deepcopy(model), model_class.from_config(config)]
    for twin in copies:
        policies = [layer.dtype_policy.name for layer in flatten_layers(twin)]
        assert policies == [layer.dtype_policy.name for layer in flatten_layers(model)]
        assert keras.config.dtype_policy().name == "float32"
    for output, other in zip(arrays(again(x)), expected, strict=True):
        assert output.dtype == other.dtype
        np.testing.assert_array_equal(output, other)
    plain = example(model_class)
    policy(dtype)
    plain.save(tmp_path / "plain.keras")
    again = keras.saving.load_model(tmp_path / "plain.keras")
    assert again.dtype_policy.name == "float32"
    assert_same(again(x), plain(x))


def test_the_precision_of_a_separator_is_saved(policy, tmp_path):
    policy("mixed_float16")
    tiny = kerasep.zoo.describe("unet_like")["tiny"]
    separator = kerasep.Separator(kerasep.zoo.load("unet_like", **tiny))
    x = np.random.default_rng(0).standard_normal((1, 4000, separator.channels)).astype("float32")
    expected = separator(x)
    separator.save(tmp_path / "separator.keras")
    policy("float32")
    again = keras.saving.load_model(tmp_path / "separator.keras")
    assert again.dtype_policy.name == again.model.dtype_policy.name == "mixed_float16"
    assert_same(again(x), expected)


def test_a_clone_by_a_function_of_the_user_s_own():
    seen = []

    def cloned(layer):
        seen.append(layer.name)
        return layer.__class__.from_config(layer.get_config())

    model = known(example(models.UNetLike))
    twin = keras.models.clone_model(model, clone_function=cloned)
    assert type(twin) is models.UNetLike
    assert seen
    assert attributes(twin) == attributes(model)


@pytest.mark.parametrize("entry", ["unet_like", "conv_tasnet_like"])
def test_a_model_dies_after_separating(entry):
    model = kerasep.zoo.load(entry, **kerasep.zoo.describe(entry)["tiny"])
    x = np.random.default_rng(0).standard_normal((4000, 1)).astype("float32")
    first = kerasep.separate(model, x, consistent=False)
    assert kerasep.separation.as_separator(model) is kerasep.separation.as_separator(model)
    other = kerasep.separate(model, x, consistent=True)
    model.set_weights([1.5 * weight + 0.01 for weight in model.get_weights()])
    changed = kerasep.separate(model, x, consistent=False)
    name = model.sources[0]
    assert not np.array_equal(first[name], changed[name])
    assert not np.array_equal(first[name], other[name])
    fresh = kerasep.Separator(model)
    np.testing.assert_array_equal(kerasep.separate(fresh, x)[name], changed[name])
    died = weakref.ref(model)
    del model, fresh
    gc.collect()
    assert died() is None
