"""Constructor arguments become attributes and the config, whatever a subclass does with them."""

import copy
import json

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep.system.arguments import Arguments


@keras.saving.register_keras_serializable("tests")
class Scale(Arguments, keras.layers.Layer):
    def __init__(self, factor, sizes=(1, 2), order=None, **kwargs):
        super().__init__(**kwargs)
        self.order = order or "none"

    def call(self, x):
        return x * self.factor


@keras.saving.register_keras_serializable("tests")
class Twice(Scale):
    """Hands on another value than it received under the same name."""

    def __init__(self, factor, **kwargs):
        super().__init__(2 * factor, **kwargs)


class Method(Arguments, keras.layers.Layer):
    def __init__(self, filters):
        super().__init__()

    def filters(self):
        return "method"


@keras.saving.register_keras_serializable("tests")
class Nested(Arguments, keras.losses.Loss):
    def __init__(self, loss, name="nested"):
        super().__init__(name=name)

    def call(self, y_true, y_pred):
        return self.loss.call(y_true, y_pred)


def test_arguments_are_attributes_unless_the_class_sets_its_own():
    layer = Scale(3, [4, 5])
    assert (layer.factor, layer.sizes, layer.order) == (3, (4, 5), "none")
    assert Method(3).filters() == "method"


def test_the_config_is_what_was_received():
    config = Scale(3, name="mine", dtype="float16").get_config()
    assert config.pop("dtype")["config"]["name"] == "float16"
    expected = {"name": "mine", "trainable": True, "factor": 3, "sizes": [1, 2], "order": None}
    assert json.loads(json.dumps(config)) == expected
    assert Scale(sizes=(7,), factor=2).get_config()["sizes"] == [7]


def test_a_subclass_s_config_is_its_own():
    layer = Twice(3)
    assert layer.factor == 6
    config = layer.get_config()
    assert config["factor"] == 3
    assert "sizes" not in config
    assert Twice.from_config(config).factor == 6


@pytest.mark.parametrize("cls", [Scale, Twice])
def test_saved_cloned_and_copied(cls, tmp_path):
    model = keras.Sequential([keras.Input((2,)), cls(3)])
    model.save(tmp_path / "model.keras")
    x = np.ones((1, 2), "float32")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for twin in (loaded, keras.models.clone_model(model), copy.deepcopy(model)):
        expected = convert_to_numpy(model(x))
        np.testing.assert_array_equal(convert_to_numpy(twin(x)), expected)
    assert copy.deepcopy(model.layers[0]).get_config() == model.layers[0].get_config()


def test_changing_a_list_afterwards_changes_nothing():
    sizes = [1, 2]
    layer = Scale(3, sizes)
    sizes.append(3)
    layer.get_config()["sizes"].append(4)
    assert (layer.sizes, layer.get_config()["sizes"]) == ((1, 2), [1, 2])


def test_an_object_is_serialised():
    loss = Nested(keras.losses.MeanSquaredError())
    written = json.loads(json.dumps(keras.losses.serialize(loss)))
    assert written["config"]["loss"]["class_name"] == "MeanSquaredError"


def test_wrong_arguments_are_python_s_error():
    with pytest.raises(TypeError, match="factor"):
        Scale()
