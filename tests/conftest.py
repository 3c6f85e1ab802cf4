"""What several tests share: gradients on whichever backend Keras runs, and the package's names."""

import functools
import importlib
import inspect
import logging
import os
import pkgutil
import sys

import hypothesis
import numpy as np
import pytest

import kerasep

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# The same examples in every run, none from earlier ones, and no limits on the time that they take.
hypothesis.settings.register_profile(
    "steady",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("steady")


def _gradients(function, *arrays):
    """Value of a scalar function of tensors, and its gradient in each of them, as NumPy arrays."""
    import keras

    arrays = [np.asarray(array, "float32") for array in arrays]
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tensors = [tf.convert_to_tensor(array) for array in arrays]
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            value = function(*tensors)
        found = tape.gradient(value, tensors, unconnected_gradients="zero")
    elif keras.backend.backend() == "jax":
        value, found = _jax_gradients(function, len(arrays))(*arrays)
    else:
        import torch

        tensors = [torch.tensor(array, requires_grad=True) for array in arrays]
        value = function(*tensors)
        found = torch.autograd.grad(value, tensors, allow_unused=True, materialize_grads=True)
    to_numpy = keras.ops.convert_to_numpy
    return to_numpy(value), [to_numpy(gradient) for gradient in found]


@functools.lru_cache(256)
def _jax_gradients(function, arguments):
    """Compiled as a whole, which JAX does far faster than one operation after the other."""
    import jax

    return jax.jit(jax.value_and_grad(function, tuple(range(arguments))))


@functools.lru_cache(256)
def _compiled(function):
    import keras

    if keras.backend.backend() != "jax":
        return function
    import jax

    return jax.jit(function)


def _weight_gradients(model, loss, *inputs):
    """Gradient of `loss(model(*inputs))` in every trainable weight, by the weight's path."""
    weights = model.trainable_variables
    if not weights:
        return {}
    others = [variable.value for variable in model.non_trainable_variables]

    def value(*trainable):
        outputs, _ = model.stateless_call(list(trainable), others, *inputs, training=True)
        return loss(outputs)

    _, found = _gradients(value, *[np.asarray(_numpy(weight)) for weight in weights])
    return {weight.path: gradient for weight, gradient in zip(weights, found, strict=True)}


def _numpy(tensor):
    import keras

    return keras.ops.convert_to_numpy(tensor)


def _public_classes(package, base):
    """Public classes that a package defines and that derive from `base`."""
    found = {}
    package = importlib.import_module(package)
    for info in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        for name, value in vars(importlib.import_module(info.name)).items():
            defined_here = getattr(value, "__module__", None) == info.name
            if inspect.isclass(value) and issubclass(value, base) and defined_here:
                found[name] = value
    return [value for name, value in sorted(found.items()) if not name.startswith("_")]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup():
    """Seed every test, so that it draws the same numbers in any order and process."""
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(0)


def pytest_generate_tests(metafunc):
    """Give a test that asks for it every class there is, so that new ones are tested at once."""
    if not {"layer_class", "loss_class", "model_class"} & set(metafunc.fixturenames):
        return
    import keras

    walked = {
        "layer_class": ("kerasep.layers", keras.layers.Layer),
        "loss_class": ("kerasep.losses", keras.losses.Loss),
        "model_class": ("kerasep.models", kerasep.models.SeparationModel),
    }
    for argument in walked.keys() & set(metafunc.fixturenames):
        classes = _public_classes(*walked[argument])
        # Not the models' base, nor the LSTM behind RecurrentStack, whose arguments are Keras'.
        inner = (kerasep.models.SeparationModel, kerasep.layers.lstm.LSTM)
        classes = [cls for cls in classes if cls not in inner]
        metafunc.parametrize(argument, classes, ids=lambda cls: cls.__name__)


@pytest.fixture(scope="session")
def gradients():
    """Function of (function, *arrays) that returns a value and gradients."""
    return _gradients


@pytest.fixture(scope="session")
def compiled():
    """Function of a function of tensors: the same, compiled as a whole on JAX."""
    return _compiled


@pytest.fixture(scope="session")
def weight_gradients():
    """Function of (model, loss, *inputs) that returns the gradient in every weight."""
    return _weight_gradients


@pytest.fixture
def policy():
    """Function that sets a dtype policy until the test ends."""
    import keras

    before = keras.config.dtype_policy()
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy(before)


@pytest.fixture
def rng():
    """Seeded random numbers."""
    return np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _log():
    """Keep the library's log off the terminal again: commands, also those of fixtures, show it."""
    yield
    logger = logging.getLogger("kerasep")
    logger.setLevel(logging.NOTSET)
    logger.handlers.clear()


@pytest.fixture(scope="session")
def songs(tmp_path_factory):
    """A folder of four songs of two seconds at 8 kHz."""
    folder = tmp_path_factory.mktemp("songs") / "songs"
    kerasep.data.write_songs(folder, 4, seconds=2.0, sample_rate=8000)
    return folder
