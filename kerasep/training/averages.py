"""Moving averages of a model's weights, for optimizers with `use_ema`.

`keras.callbacks.SwapEMAWeights` swaps by adding and subtracting, which on TensorFlow changes the
weights by rounding, so that the training steps would depend on when the run is validated.
"""

import contextlib
from collections.abc import Iterator

import keras
import numpy as np


@contextlib.contextmanager
def averaged(model: keras.Model) -> Iterator[None]:
    """Temporarily replace the weights with their averages. Does nothing without `use_ema`."""
    # Under mixed_float16 Keras wraps the optimizer in one that scales the loss.
    if not getattr(model.optimizer, "inner_optimizer", model.optimizer).use_ema:
        yield
        return
    variables = model.trainable_variables
    weights = _values(variables)
    model.optimizer.finalize_variable_values(variables)
    # On JAX model and optimizer now share arrays, which the next step would free for both.
    _assign(variables, _values(variables))
    try:
        yield
    finally:
        _assign(variables, weights)


class AveragedValidation(keras.callbacks.Callback):
    """Validate the averages instead of the weights."""

    def on_test_begin(self, logs=None):
        """Replace the weights with their averages."""
        self.context = contextlib.ExitStack()
        self.context.enter_context(averaged(self.model))

    def on_test_end(self, logs=None):
        """Restore the weights."""
        self.context.close()


def _values(variables):
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def _assign(variables, values):
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
