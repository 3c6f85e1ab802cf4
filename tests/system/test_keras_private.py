"""The private parts of Keras that the package uses are there, and do what they did."""

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy

from kerasep.system import keras_private


class Doubled(keras_private.RemembersOrigin):
    """A Functional model that any arguments may construct."""

    def __init__(self, *args, **kwargs):
        if not args:
            x = keras.Input((3,), name="x")
            args = x, keras.layers.Dense(2, name="dense")(x)
        super().__init__(*args, **kwargs)


@pytest.fixture(scope="module")
def model():
    return Doubled(name="doubled")


def test_layers_inside_layers():
    inner = keras.layers.LSTM(2, name="inner")
    bidirectional = keras.layers.Bidirectional(inner, name="both")
    model = keras.Sequential([keras.Input((4, 3)), bidirectional])
    names = {layer.name for layer in keras_private.flatten_layers(model)}
    assert {model.name, "both", "forward_inner", "backward_inner"} <= names


def test_the_layers_that_a_layer_holds_itself():
    both = keras.layers.Bidirectional(keras.layers.LSTM(2, name="inner"))
    both.build((None, 4, 3))
    assert {"forward_inner", "backward_inner"} <= {
        each.name for each in keras_private.sublayers(both)
    }
    assert not keras_private.sublayers(keras.layers.Dense(2))


def test_the_layer_with_weights_before_another():
    x = keras.Input((4, 3))
    dense = keras.layers.Dense(2)
    norm = keras.layers.BatchNormalization()
    y = norm(keras.layers.ReLU()(keras.ops.reshape(dense(x), (-1, 8))))
    assert keras.Model(x, y).layers
    assert keras_private.layer_before(norm) is dense
    assert keras_private.layer_before(dense) is None


def test_a_functional_model_is_known(model):
    assert keras_private.is_functional(model)
    assert not keras_private.is_functional(keras.layers.Dense(2))


def test_a_graph_is_run_with_any_objects(model):
    calls = []

    def call(operation, *args):
        calls.append((operation.name, *args))
        return "result"

    outputs = keras_private.run_through_graph(model, ["anything"], call)
    assert calls == [("dense", "anything")]
    assert keras.tree.flatten(outputs) == ["result"]


def test_a_compiled_model_is_built_once_and_from_a_specification():
    calls = []

    class Counted(keras.losses.Loss):
        def call(self, y_true, y_pred):
            calls.append(type(y_pred).__name__)
            return keras.ops.mean(y_true - y_pred, axis=-1)

    model = Doubled()
    model.compile("sgd", Counted(), metrics=["mse"])
    spec = keras.KerasTensor((None, 3)), keras.KerasTensor((None, 2))
    keras_private.symbolic_build(model, spec, once=True)
    built = len(calls)
    assert built
    assert model.optimizer.built
    model.fit(np.ones((4, 3), "float32"), np.ones((4, 2), "float32"), verbose=0)
    assert "KerasTensor" not in calls[built:]


def test_values_that_were_put_off_are_dropped():
    made = []

    def initializer(shape, dtype=None):
        made.append(shape)
        return keras.ops.zeros(shape, dtype)

    with keras.StatelessScope():
        keras.layers.Dense(2, kernel_initializer=initializer).build((None, 3))
        keras_private.drop_initial_values()
    assert made == []
    with keras.StatelessScope():
        keras.layers.Dense(2, kernel_initializer=initializer).build((None, 3))
    assert made == [(3, 2)]


def test_a_clone_finds_its_original(model):
    origins = []

    class Copy(Doubled):
        def __init__(self, *args, **kwargs):
            if args:
                origins.append(keras_private.origin(args[1]))
            super().__init__(*args, **kwargs)

    original = Copy(name="original")
    twin = keras.models.clone_model(original)
    assert type(twin) is Copy
    assert origins == [original]
    twin.set_weights(original.get_weights())
    x = np.ones((1, 3), "float32")
    np.testing.assert_array_equal(convert_to_numpy(twin(x)), convert_to_numpy(original(x)))
