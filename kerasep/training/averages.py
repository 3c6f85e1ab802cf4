"""Moving averages of a model's weights, where its optimizer keeps them (`use_ema`)."""

import contextlib

import keras
import numpy as np


@contextlib.contextmanager
def averaged(model):
    """Have the averages in the model for as long as the context lasts; without them, nothing.

    Args:
        model: a compiled model.

    Example:
    ```python
    import keras
    import numpy as np
    from kerasep.training.averages import averaged

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5), "mse")
    for _ in range(2):
        model.train_on_batch(np.ones((1, 1)), np.zeros((1, 1)))
    (last, _) = model.get_weights()
    with averaged(model):
        assert not np.allclose(model.get_weights()[0], last)
    assert np.allclose(model.get_weights()[0], last)
    ```

    Reference:
        Polyak and Juditsky 1992, "Acceleration of stochastic approximation by averaging".
    """
    if not keeps_averages(model):
        yield
        return
    variables = model.trainable_variables
    kept = _values(variables)
    model.optimizer.finalize_variable_values(variables)
    # Now model and optimizer share arrays, on JAX: what uses up one takes the other along.
    _assign(variables, _values(variables))
    try:
        yield
    finally:
        _assign(variables, kept)


class AveragedValidation(keras.callbacks.Callback):
    """Validates the averages in place of the weights."""

    def on_test_begin(self, logs=None):
        """Put the averages into the model."""
        self.context = contextlib.ExitStack()
        self.context.enter_context(averaged(self.model))

    def on_test_end(self, logs=None):
        """Take them out again."""
        self.context.close()


def keeps_averages(model):
    """Tell whether a compiled model's optimizer averages its weights."""
    # Under mixed_float16 Keras wraps the optimizer in one that scales the loss.
    return getattr(model.optimizer, "inner_optimizer", model.optimizer).use_ema


def _values(variables):
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def _assign(variables, values):
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
