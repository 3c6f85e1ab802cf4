"""Names, files and weights: what load() takes, and how it refuses the rest."""

import json
import shutil

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep import zoo
from kerasep.errors import InputError
from kerasep.zoo import registry
from kerasep.zoo.cards import merge_recipe

SMALL = {"sources": ["vocals"], "hidden": 8}


@pytest.fixture(scope="module")
def model():
    return zoo.load("open_unmix_like/small", **SMALL)


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.keras"
    model.save(path)
    return path


def same_weights(first, second):
    pairs = zip(first.get_weights(), second.get_weights(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def refused(message, *arguments, **options):
    with pytest.raises(InputError, match=message) as caught:
        zoo.load(*arguments, **options)
    assert "\n" not in str(caught.value)


def test_entries_are_named_and_described():
    names = zoo.list_entries()
    assert {"open_unmix_like/umx", "open_unmix_like/small"} <= set(names)
    assert len(set(names)) == len(names)
    for name in names:
        card = zoo.describe(name)
        assert card["name"] == name
        assert card["description"]
        assert {"loss", "optimizer", "epochs", "data"} <= card["recipe"].keys()
        json.dumps(card)


def test_an_entry_alone_is_its_default_preset():
    assert zoo.describe("open_unmix_like") == zoo.describe("open_unmix_like/umx")
    presets = [name for name in zoo.list_entries() if name.startswith("open_unmix_like/")]
    assert presets[0] == "open_unmix_like/umx"


def test_a_preset_changes_what_it_says_alone():
    default, small = zoo.describe("open_unmix_like"), zoo.describe("open_unmix_like/small")
    assert small["arguments"]["hidden"] != default["arguments"]["hidden"]
    assert small["arguments"]["window"] == default["arguments"]["window"]
    assert small["recipe"]["optimizer"] == default["recipe"]["optimizer"]
    assert small["recipe"]["data"]["batch_size"] == default["recipe"]["data"]["batch_size"]
    small["arguments"]["hidden"] = -1
    assert zoo.describe("open_unmix_like/small")["arguments"]["hidden"] > 0


def test_overrides(model):
    assert model.sources == ("vocals",)
    assert model.hidden == 8
    assert model.recipe == zoo.describe("open_unmix_like/small")["recipe"]


def test_merging_recipes_changes_neither():
    recipe, changes = {"epochs": 9, "data": {"remix": 0.5, "gain": None}}, {"data": {"remix": 1}}
    merged = merge_recipe(recipe, changes)
    assert merged == {"epochs": 9, "data": {"remix": 1, "gain": None}}
    merged["data"]["gain"] = 2
    assert recipe["data"]["gain"] is None
    assert changes == {"data": {"remix": 1}}


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("open_unmix_lke", "open_unmix_like"),
        ("open_unmix_like/umxqh", "open_unmix_like/umxhq"),
        ("openunmix", "open_unmix_like"),
        ("open_unmix_like/smal", "open_unmix_like/small"),
    ],
)
def test_a_mistyped_name_gets_the_nearest(name, nearest):
    refused(rf"received model '{name}'.*did you mean {nearest}\?", name)
    with pytest.raises(InputError, match=rf"did you mean {nearest}\?"):
        zoo.describe(name)


def test_a_name_like_no_other():
    refused("received model '%%%'.*there is .*open_unmix_like", "%%%")


def test_an_argument_that_the_class_lacks():
    refused("received argument hiden, expected one of .*hidden", "open_unmix_like", hiden=3)


def test_a_file_and_the_folder_that_holds_it(model, saved):
    for path in (saved, str(saved), saved.parent):
        again = zoo.load(path)
        assert type(again) is type(model)
        assert again.get_config() == model.get_config()
        assert same_weights(again, model)
    assert again.recipe == {}


def test_a_saved_model_keeps_its_arguments(saved):
    refused("received hidden for the saved model", saved, hidden=3)


def test_the_recipe_beside_a_model(saved, tmp_path):
    shutil.copy(saved, tmp_path / "model.keras")
    (tmp_path / "recipe.json").write_text('{"recipe": {"epochs": 3}}')
    assert zoo.load(tmp_path).recipe == {"epochs": 3}
    (tmp_path / "recipe.json").write_text('{"recipe": {"epochs": 4}}', "utf-16")
    assert zoo.load(tmp_path).recipe == {"epochs": 4}
    for wrong in ("{", "[]", "[[]]"):
        (tmp_path / "recipe.json").write_text(wrong)
        refused("recipe.json, expected a recipe", tmp_path)


def test_names_beside_folders_of_that_name(model, saved, tmp_path, monkeypatch):
    """A folder with a model in it is meant; one without is not what a name of the zoo means."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "open_unmix_like").mkdir()
    assert zoo.load("open_unmix_like", **SMALL).sample_rate == 44100
    shutil.copy(saved, "open_unmix_like/model.keras")
    assert same_weights(zoo.load("open_unmix_like"), model)


def test_weights_from_a_file(model, saved, tmp_path):
    model.save_weights(tmp_path / "some.weights.h5")
    for path in (saved, saved.parent, tmp_path / "some.weights.h5"):
        again = zoo.load("open_unmix_like/small", weights=path, **SMALL)
        assert same_weights(again, model)
        assert again.recipe["epochs"] == 60


def test_weights_of_another_model(saved, tmp_path):
    name = "open_unmix_like/small"
    refused("received weights.*expected weights of", name, saved, **{**SMALL, "hidden": 10})
    dense = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    dense.save_weights(tmp_path / "dense.weights.h5")
    refused("received weights.*dense", name, tmp_path / "dense.weights.h5", **SMALL)


def test_a_refused_file_is_closed(model, tmp_path):
    path = tmp_path / "some.weights.h5"
    model.save_weights(path)
    refused("received weights", "open_unmix_like/small", path, **{**SMALL, "lstm_layers": 2})
    model.save_weights(path, overwrite=True)


def test_weights_of_the_same_shapes_and_another_class(tmp_path):
    tiny = zoo.describe("deep_clustering_like")["tiny"]
    zoo.load("deep_attractor_like", **tiny).save(tmp_path / "other.keras")
    refused("of a DeepAttractorLike", "deep_clustering_like", tmp_path / "other.keras", **tiny)


def test_the_reason_is_not_cut_off(tmp_path):
    tiny = zoo.describe("tasnet_like")["tiny"]
    path = tmp_path / "two.weights.h5"
    zoo.load("tasnet_like", **tiny).save_weights(path)
    refused("received weights.*shape", "tasnet_like", path, **tiny, sources=["a", "b", "c"])


def test_no_weights_wanted(saved):
    model = zoo.load("open_unmix_like/karaoke", weights=False, **SMALL)
    assert model.licence is None
    assert not model.trained
    for weights in (True, False):
        refused(f"weights={weights} for the saved model", saved, weights=weights)


def test_random_values_are_drawn_only_if_they_stay(tmp_path, monkeypatch):
    drawn, draw = [], keras.initializers.VarianceScaling.__call__

    def counted(self, *arguments, **options):
        drawn.append(self)
        return draw(self, *arguments, **options)

    monkeypatch.setattr(keras.initializers.VarianceScaling, "__call__", counted)
    model = zoo.load("open_unmix_like/phone")
    model.save(tmp_path / "model.keras")
    assert same_weights(zoo.load(tmp_path / "model.keras"), model)
    assert not drawn
    some = zoo.load("open_unmix_like/phone", hidden=12)  # fits in part
    assert drawn
    assert all(np.ptp(weight) for weight in some.get_weights() if weight.ndim > 1)


def test_weights_of_no_name(saved):
    refused("received weights nothing, expected the path", saved, weights="nothing")
    refused("published set of unet_like/karaoke: mir1k", "unet_like/karaoke", weights="mirk")


def test_a_saved_model_takes_other_weights(model, saved, tmp_path):
    other = zoo.load("open_unmix_like/small", **SMALL)
    other.save(tmp_path / "other.keras")
    assert same_weights(zoo.load(saved, tmp_path / "other.keras"), other)
    assert same_weights(zoo.load(saved), model)


def test_the_class_of_a_name(saved):
    assert registry.class_of("unet_like").__name__ == "UNetLike"
    assert registry.class_of(saved).__name__ == "OpenUnmixLike"
    with pytest.raises(InputError, match="did you mean unet_like"):
        registry.class_of("unet_lik")


def test_weights_that_are_none(saved, tmp_path):
    text = tmp_path / "text.weights.h5"
    text.write_text("no weights")
    damaged = tmp_path / "damaged.keras"
    damaged.write_bytes(saved.read_bytes()[:-100])
    for path in (text, damaged, tmp_path / "missing.weights.h5", tmp_path):
        refused("received weights", "open_unmix_like/small", path, **SMALL)


def test_a_file_that_is_no_model(tmp_path):
    text = tmp_path / "text.keras"
    text.write_text("no model")
    refused(r"text\.keras.*damaged or not a model", text)
    refused(r"missing\.keras", tmp_path / "missing.keras")
    refused("received model", tmp_path)
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    other.save(tmp_path / "dense.keras")
    refused("of class Sequential, expected a model of the zoo", tmp_path / "dense.keras")


def test_a_damaged_file(saved, tmp_path):
    """Wherever bytes are wrong, the file loads or is refused in one line."""
    whole = np.frombuffer(saved.read_bytes(), "uint8")
    path = tmp_path / "damaged.keras"
    refusals = []
    for start in np.linspace(0, len(whole) - 20, 24).astype(int):
        damaged = whole.copy()
        damaged[start : start + 20] ^= 0x5A
        path.write_bytes(damaged.tobytes())
        try:
            zoo.load(path)
        except InputError as error:
            refusals.append(str(error))
    assert len(refusals) > 12
    assert all("damaged.keras" in refusal and "\n" not in refusal for refusal in refusals)


def test_a_model_with_code_in_it(tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x)])
    model.save(tmp_path / "code.keras")
    refused("received model.*expected one saved by kerasep", tmp_path / "code.keras")


def test_outputs_are_restored(model, saved, rng):
    magnitude = rng.random((1, 5, 513, 1), "float32")
    expected = convert_to_numpy(model(magnitude))
    np.testing.assert_array_equal(convert_to_numpy(zoo.load(saved)(magnitude)), expected)


def test_a_recipe_that_is_none(saved, tmp_path):
    shutil.copy(saved, tmp_path / "model.keras")
    contents = (b"[" * 100_000, b'{"recipe": 3}', b"\xff", b" " * (2 << 20))
    for content in contents:
        (tmp_path / "recipe.json").write_bytes(content)
        refused(r"recipe\.json, expected a recipe", tmp_path)
