"""A Keras model that checks the mixtures it is called with."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from kerasep.errors import InputError
from kerasep.system.types import Tensor


class CheckedModel(keras.Model):
    """Raises `InputError` for mixtures that Keras would broadcast, cast or misread silently."""

    # `fit` and the others check arrays and datasets first: on JAX they remove the weights from the
    # model while it runs, and a TensorFlow graph may not know the number of axes of a mixture.

    trained = False

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        """Apply the model to a mixture."""
        check_mixture(self, args[0] if args else kwargs.get("inputs"))
        if kwargs.get("training"):
            self.trained = True
        return super().__call__(*args, **kwargs)

    def stateless_call(
        self,
        trainable_variables: Sequence[Tensor],
        non_trainable_variables: Sequence[Tensor],
        *args: Any,
        **kwargs: Any,
    ) -> tuple:
        """Apply the model with other weights, as training on JAX does."""
        check_mixture(self, args[0] if args else kwargs.get("inputs"))
        if kwargs.get("training"):
            self.trained = True
        variables = trainable_variables, non_trainable_variables
        return super().stateless_call(*variables, *args, **kwargs)

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        """Set all weights: see `keras.Model.set_weights`."""
        super().set_weights(weights)
        self.trained = True

    def load_own_variables(self, store: Mapping) -> None:
        """Read what a file has for the model itself, as Keras does when it loads weights."""
        super().load_own_variables(store)
        self.trained = True

    def fit(self, x: Any = None, *args: Any, **kwargs: Any) -> keras.callbacks.History:
        """Train the model: see `keras.Model.fit`."""
        check_mixture(self, _first(x))
        return super().fit(x, *args, **kwargs)

    def evaluate(
        self, x: Any = None, *args: Any, **kwargs: Any
    ) -> float | list[float] | dict[str, float]:
        """Compute loss and metrics: see `keras.Model.evaluate`."""
        check_mixture(self, _first(x))
        return super().evaluate(x, *args, **kwargs)

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Apply the model to many batches: see `keras.Model.predict`."""
        check_mixture(self, _first(x))
        return super().predict(x, *args, **kwargs)

    def train_on_batch(
        self, x: Any, *args: Any, **kwargs: Any
    ) -> float | list[float] | dict[str, float]:
        """Train on one batch: see `keras.Model.train_on_batch`."""
        check_mixture(self, x)
        return super().train_on_batch(x, *args, **kwargs)

    def test_on_batch(
        self, x: Any, *args: Any, **kwargs: Any
    ) -> float | list[float] | dict[str, float]:
        """Compute loss and metrics of one batch: see `keras.Model.test_on_batch`."""
        check_mixture(self, x)
        return super().test_on_batch(x, *args, **kwargs)

    def predict_on_batch(self, x: Any) -> Any:
        """Apply the model to one batch: see `keras.Model.predict_on_batch`."""
        check_mixture(self, x)
        return super().predict_on_batch(x)


def check_mixture(model, mixture):
    """Validate that a mixture has the shape and type that a model expects."""
    inputs = keras.tree.flatten(mixture)
    if len(inputs) != 1 or len(model.inputs) != 1 or not hasattr(inputs[0], "dtype"):
        return
    shape, expected = inputs[0].shape, tuple(model.inputs[0].shape)
    if getattr(shape, "rank", 0) is None:  # in a graph with unknown shapes
        return
    shape = tuple(shape)
    what, axes = "waveforms", ("batch", "samples")
    advice = "kerasep.separate takes recordings of any length, rate and channels"
    if getattr(model, "domain", "waveform") == "spectrogram":
        what, axes = "magnitudes", ("batch", "frames")
        advice = (
            "kerasep.separate or kerasep.Separator takes waveforms, kerasep.ops.magnitude spectra"
        )
    expected_axes = f"({', '.join(map(str, (*axes, *expected[2:])))})"
    pairs = zip(shape, expected, strict=False)
    if len(shape) != len(expected) or any(a != b and None not in (a, b) for a, b in pairs):
        raise InputError(
            f"received a mixture of shape {shape}, expected {what} {expected_axes}: {advice}"
        )
    dtype = keras.backend.standardize_dtype(inputs[0].dtype)
    if "float" not in dtype:
        raise InputError(
            f"received a mixture of type {dtype}, expected {what} {expected_axes} of floats: "
            f"{advice if 'complex' in dtype else 'divide samples by their full scale'}"
        )


def _first(x):
    """Return the mixture's specification if `x` is a tf.data.Dataset of inputs and targets."""
    spec = getattr(x, "element_spec", x)
    return spec[0] if spec is not x and isinstance(spec, tuple) else spec
