"""All private parts of Keras that the package uses; there is no public way to do these things."""

import weakref

import keras
from keras.src.backend.common import global_state
from keras.src.initializers.random_initializers import RandomInitializer

_UNINITIALIZED = "uninitialized_variables"


def flatten_layers(layer):
    """Return a layer, or a model, and all layers inside it, also those of layers that hold some."""
    return layer._flatten_layers()


def sublayers(layer):
    """Return the layers that a layer holds itself."""
    return layer._flatten_layers(include_self=False, recursive=False)


def layer_before(layer):
    """Return the nearest layer with weights before a layer of a Functional model, or None."""
    while True:
        inputs = keras.tree.flatten(layer.input)
        layer = inputs[0]._keras_history.operation
        if isinstance(layer, keras.layers.InputLayer) or not hasattr(layer, "input"):
            return None
        if getattr(layer, "weights", None):
            return layer


def is_functional(operation):
    """Return whether an operation is a Functional model."""
    return hasattr(operation, "_run_through_graph")


def run_through_graph(model, tensors, call):
    """Apply a model to any objects in place of tensors; `call(operation, ...)` runs each layer."""
    return model._run_through_graph(tensors, call_fn=call)


def symbolic_build(model, batch, once=False):
    """Build a compiled model from a batch's specification; with `once`, `fit` does not build it."""
    model._symbolic_build(data_batch=batch)
    if once:
        model._maybe_symbolic_build = lambda *_, **__: None


def drop_initial_values():
    """Forget the values that weights made in a `keras.StatelessScope` would get at its end."""
    global_state.set_global_attribute(_UNINITIALIZED, [])


def zero_random_values():
    """Set the weights made in a `keras.StatelessScope` to zero that would be random at its end."""
    for variable in global_state.get_global_attribute(_UNINITIALIZED, []):
        if isinstance(variable._initializer, RandomInitializer):
            variable._initializer = keras.initializers.Zeros()


class RemembersOrigin(keras.Model):
    """Functional model whose symbolic results remember it: see `origin`."""

    def _run_through_graph(self, *args, **kwargs):
        outputs = super()._run_through_graph(*args, **kwargs)
        for tensor in keras.tree.flatten(outputs):
            if isinstance(tensor, keras.KerasTensor):
                tensor._result_of = weakref.ref(self)
        return outputs


def origin(tensors):
    """Return the `RemembersOrigin` model that computed symbolic tensors, also for its clone."""
    return keras.tree.flatten(tensors)[0]._result_of()
