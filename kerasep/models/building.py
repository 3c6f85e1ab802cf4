"""Build a model from a class and arguments, with checks of sizes and memory first."""

import inspect
import math
import numbers
import re

import keras

from kerasep.errors import InputError
from kerasep.system import memory
from kerasep.system.keras_private import drop_initial_values, zero_random_values

_LARGEST = 2**17  # of sizes: features, bins, kernels, hops
_RATES = ("sample_rate", "max_hz")
_LARGEST_RATE = 10**7  # in Hz
_COUNTS = ("levels", "blocks", "repeats", "lstm_layers")
_WEIGHT = 4  # bytes
_LAYERS = 1000  # product of all counts; a graph of this size takes a minute
_NONE = ("max_hz", "rescale")  # accept None although their default is a number
# Names that TensorFlow accepts for a scope, without the slash that separates scopes.
_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\>-]{0,199}")


def build(cls, arguments, check=None, random_values=True):
    """Build `cls(**arguments)`; `check(model)` and a check of the memory precede its values.

    Without `random_values`, which take long to draw, all weights must be set afterwards.
    """
    check_arguments(cls, arguments)
    try:
        # Keras defers the initial values to the end of this scope. After an error they must not be
        # created at all.
        with keras.StatelessScope():
            complete = False
            try:
                model = cls(**arguments)
                if check is not None:
                    check(model)
                _check_memory(model)
                if not random_values:
                    zero_random_values()
                complete = True
            except (ValueError, ArithmeticError) as error:
                if isinstance(error, InputError):
                    raise
                raise InputError(
                    f"received {_listed(arguments)}, of which no {cls.__name__} can be made: "
                    f"{first_line(error)}"
                ) from error
            finally:
                if not complete:
                    drop_initial_values()
    except BaseException:
        # An error on the way, such as a lack of memory, leaves the rest of them.
        drop_initial_values()
        raise
    return model


def build_without_values(cls, arguments):
    """Build `cls(**arguments)` for the shapes of its weights, which get no values."""
    with keras.StatelessScope():
        try:
            return cls(**arguments)
        finally:
            drop_initial_values()


def check_arguments(cls, arguments):
    """Validate arguments by the types of a constructor's defaults and by sensible sizes."""
    parameters = inspect.signature(cls).parameters
    defaults = {name: parameter.default for name, parameter in parameters.items()}
    defaults["dtype"] = "float32"  # every model accepts it beside its own arguments
    unknown = [str(name) for name in arguments if name not in defaults]
    if unknown:
        raise InputError(
            f"received argument {', '.join(sorted(unknown)[:3])}, expected one of "
            f"{', '.join(defaults)} for {cls.__name__}"
        )
    for name, value in arguments.items():
        default = defaults[name]
        if default is not inspect.Parameter.empty and not _fits(name, value, default):
            raise InputError(f"received {name}={_short(value)}, expected {_kind(default)}")
        _check_size(name, value)
    name = arguments.get("name", "model")
    if not _NAME.fullmatch(str(name)):
        raise InputError(f"received name={_short(name)}, expected letters, digits, _, - and .")
    layers = layer_count(arguments)
    if layers > _LAYERS:
        raise InputError(
            f"received {_listed(arguments, _COUNTS)}, expected at most {_LAYERS} layers in all"
        )


def layer_count(arguments, lists=True):
    """Return how many layers of its main kind a model's arguments ask for."""
    counts = [arguments[name] for name in _COUNTS if arguments.get(name)]
    if lists:
        counts += [len(value) for value in arguments.values() if isinstance(value, list | tuple)]
    return math.prod(count for count in counts if count)


def first_line(error):
    """Return the first line of an error, and the next if the first only introduces it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    return " ".join(lines[:2]) if lines[0].endswith(":") else lines[0]


def _check_memory(model):
    needed = _WEIGHT * model.count_params()
    if needed > (free := memory.free()):
        raise InputError(
            f"received arguments for {type(model).__name__} whose weights take {needed / 1e9:.3g} "
            f"GB, expected less than the {free / 1e9:.3g} GB of free memory: make it smaller"
        )


def _fits(name, value, default):
    """Compare a value's type with that of the default."""
    if value is None:
        return default is None or name in _NONE
    if default is None:
        return isinstance(value, str | int) and not isinstance(value, bool)
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, float) or name in _RATES:
        return isinstance(value, numbers.Real)
    if isinstance(default, int):
        return isinstance(value, numbers.Integral)
    if isinstance(default, tuple | list) and default:
        return isinstance(value, tuple | list) and all(
            _fits("", item, default[0]) for item in value
        )
    return isinstance(value, type(default))


def _kind(default):
    kinds = {bool: "True or False", int: "a whole number", float: "a number", str: "a name"}
    kind = kinds.get(type(default), "a list" if default is not None else "None, or another kind")
    return f"{kind}, such as {default!r}"


def _check_size(name, value):
    if isinstance(value, list | tuple):
        for item in value:
            _check_size(name, item)
    elif isinstance(value, numbers.Real):
        limit = _LARGEST_RATE if name in _RATES else _LARGEST
        if not abs(value) <= limit:  # nor when it is not a number
            raise InputError(f"received {name}={_short(value)}, expected at most {limit}")


def _listed(arguments, names=None):
    return ", ".join(
        f"{name}={_short(value)}"
        for name, value in arguments.items()
        if names is None or name in names or isinstance(value, list | tuple)
    )


def _short(value):
    """Show a value in one line that is not long."""
    if isinstance(value, int) and abs(value) > 10**18:
        return f"a number of {value.bit_length()} bits"
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
