"""Keras finds the package's classes in files after nothing but `import kerasep`."""

import subprocess
import sys

import keras
import numpy as np
import pytest

import kerasep
from kerasep import layers, losses, zoo
from kerasep.system import saved_classes

LOAD = """
import sys
{imports}
assert not any(name.startswith("kerasep.models") for name in sys.modules)
for path in sys.argv[1:]:
    model = keras.saving.load_model(path)
    print(type(model).__name__, sum(float(abs(weight).sum()) for weight in model.get_weights()))
"""


def tiny(entry):
    return zoo.load(entry, False, **zoo.describe(entry)["tiny"])


def compiled():
    model = tiny("unet_like")
    model.compile("adam", losses.TruncatedPhaseSensitive(), metrics=[kerasep.metrics.SISDR()])
    return model


def of_a_user():
    """A Functional model with one of our layers in it."""
    x = keras.Input((None, 9, 1))
    return keras.Model(x, keras.layers.Dense(2)(layers.Decibels()(x)))


MODELS = {"Separator": lambda: kerasep.Separator(tiny("unet_like")), "Functional": of_a_user}
MODELS |= {"UNetLike": compiled}
MODELS |= {
    zoo.describe(entry)["class"]: lambda entry=entry: tiny(entry)
    for entry in sorted({name.split("/")[0] for name in zoo.list_entries()} - {"unet_like"})
}


def check_loaded(names, imports, folder):
    """Save models, and load them one after the other in one fresh process."""
    models = {name: MODELS[name]() for name in names}
    paths = [folder / f"{name}.keras" for name in names]
    for path, model in zip(paths, models.values(), strict=True):
        model.save(path)
    command = [sys.executable, "-c", LOAD.format(imports=imports), *paths]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    rows = [line.split() for line in result.stdout.splitlines()]
    assert [name for name, _ in rows] == names
    for model, (name, total) in zip(models.values(), rows, strict=True):
        weights = sum(float(np.abs(weight).sum()) for weight in model.get_weights())
        assert float(total) == pytest.approx(weights, rel=1e-5), name


@pytest.mark.parametrize(
    ("name", "imports"),
    [("Separator", "import kerasep, keras"), ("UNetLike", "import keras, kerasep")],
)
def test_a_file_in_a_fresh_process(name, imports, tmp_path):
    check_loaded([name], imports, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("imports", ["import kerasep, keras", "import keras, kerasep"])
def test_a_layer_in_a_model_of_the_user_s_and_then_every_class(imports, tmp_path):
    check_loaded(
        ["Functional", *(name for name in MODELS if name != "Functional")], imports, tmp_path
    )


def test_the_rooms_register_every_class():
    """So nothing that is saved lies in a room that the lookup does not import."""
    registered = keras.saving.get_custom_objects().values()
    places = {cls.__module__ for cls in registered if cls.__module__.startswith("kerasep.")}
    rooms = tuple(f"kerasep.{room}" for room in saved_classes.ROOMS)
    assert len(places) > 50
    assert all(place.startswith(rooms) for place in places)


def test_other_names_are_left_to_keras():
    registry = saved_classes._Registry({"mine>Layer": int})
    assert "mine>Layer" in registry
    assert "mine>Other" not in registry
    assert "kerasep>NoSuchClass" not in registry
    assert isinstance(keras.saving.get_custom_objects(), saved_classes._Registry)
