"""Which weights of a PyTorch checkpoint go where in a Keras model, and what is done to them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from kerasep.errors import InputError
from kerasep.models import building, weight_values

_NAMED = 3


class Slot(NamedTuple):
    """A variable, and where its value comes from.

    Attributes:
        names: of the checkpoint's arrays.
        shapes: of these arrays, one for each name.
        variable: a Keras variable.
        convert: function of the arrays that returns the variable's value.
    """

    names: tuple
    shapes: tuple
    variable: Any
    convert: Callable


def same(name, variable):
    """Map an array to a variable of the same shape.

    Args:
        name: the checkpoint's.
        variable: a Keras variable.

    Returns:
        A `Slot`.

    Example:
    >>> import keras
    >>> same("gain", keras.Variable([1.0, 2.0])).shapes
    ((2,),)
    """
    return Slot((name,), (tuple(variable.shape),), variable, lambda value: value)


def reshaped(name, variable, shape):
    """Map an array to a variable of other axes and the same order of elements.

    Args:
        name: the checkpoint's.
        variable: a Keras variable.
        shape: what the checkpoint has.

    Returns:
        A `Slot`.

    Example:
    >>> import keras
    >>> reshaped("gain", keras.Variable([1.0, 2.0]), (1, 2, 1)).names
    ('gain',)
    """
    target = tuple(variable.shape)
    return Slot((name,), (tuple(shape),), variable, lambda value: value.reshape(target))


def transposed(name, variable, axes=None):
    """Map an array whose axes are in another order.

    Args:
        name: the checkpoint's.
        variable: a Keras variable.
        axes: for each axis of the variable, the array's. Default: reversed.

    Returns:
        A `Slot`.

    Example:
    >>> import keras, numpy as np
    >>> transposed("weight", keras.Variable(np.zeros((2, 3)))).shapes
    ((3, 2),)
    """
    axes = tuple(axes or range(len(variable.shape))[::-1])
    shape = tuple(variable.shape[axes.index(axis)] for axis in range(len(axes)))
    return Slot((name,), (shape,), variable, lambda value: value.transpose(axes))


def dense(name, layer):
    """Map PyTorch's `Linear` to `Dense`.

    Args:
        name: the module's, such as "fc1".
        layer: a built `keras.layers.Dense`.

    Yields:
        A `Slot` for each weight.
    """
    yield transposed(f"{name}.weight", layer.kernel)
    if layer.use_bias:
        yield same(f"{name}.bias", layer.bias)


def convolution(name, layer):
    """Map PyTorch's `Conv1d`, `Conv2d`, `ConvTranspose1d` or `ConvTranspose2d` to Keras' layer.

    PyTorch has `(out, in, size...)`, or `(in, out, size...)` for the transposed ones; Keras has
    `(size..., in, out)` and `(size..., out, in)`. So one order of axes serves both.

    Args:
        name: the module's.
        layer: a built layer of Keras with `kernel`, `use_bias` and `bias`; not a depthwise one.

    Yields:
        A `Slot` for each weight.
    """
    axes = (*range(2, len(layer.kernel.shape)), 1, 0)
    yield transposed(f"{name}.weight", layer.kernel, axes)
    if layer.use_bias:
        yield same(f"{name}.bias", layer.bias)


def pointwise(name, layer):
    """Map PyTorch's `Conv1d` of kernel 1 to `Dense`.

    Args:
        name: the module's.
        layer: a built `keras.layers.Dense`.

    Yields:
        A `Slot` for each weight.
    """
    inputs, outputs = layer.kernel.shape
    shape = (outputs, inputs, 1)
    yield Slot((f"{name}.weight",), (shape,), layer.kernel, lambda value: value[..., 0].T)
    if layer.use_bias:
        yield same(f"{name}.bias", layer.bias)


def batch_norm(name, layer):
    """Map PyTorch's `BatchNorm` to `BatchNormalization`.

    Args:
        name: the module's.
        layer: a built `keras.layers.BatchNormalization` with scale and centre.

    Yields:
        A `Slot` for each weight.
    """
    yield same(f"{name}.weight", layer.gamma)
    yield same(f"{name}.bias", layer.beta)
    yield same(f"{name}.running_mean", layer.moving_mean)
    yield same(f"{name}.running_var", layer.moving_variance)


def lstm(name, cells):
    """Map PyTorch's `LSTM` of several layers.

    The gates come in the same order; the two biases only ever act as their sum.

    Args:
        name: the module's, such as "lstm".
        cells: list of built `keras.layers.LSTM`, or `Bidirectional` of them, a layer each: the
            `cells` of a `kerasep.layers.RecurrentStack`.

    Yields:
        A `Slot` for each weight.
    """
    for index, layer in enumerate(cells):
        directions = {"": layer}
        if hasattr(layer, "forward_layer"):
            directions = {"": layer.forward_layer, "_reverse": layer.backward_layer}
        for suffix, one in directions.items():
            end = f"l{index}{suffix}"
            yield transposed(f"{name}.weight_ih_{end}", one.cell.kernel)
            yield transposed(f"{name}.weight_hh_{end}", one.cell.recurrent_kernel)
            biases = (f"{name}.bias_ih_{end}", f"{name}.bias_hh_{end}")
            shape = tuple(one.cell.bias.shape)
            yield Slot(biases, (shape, shape), one.cell.bias, np.add)


def build(path, cls, arguments, state):
    """Build a model for a checkpoint's weights, unless it would have more than there are.

    Args:
        path: the file, for the error.
        cls: a class of `kerasep.models`.
        arguments: what the file says of it, of any kind and size.
        state: iterable of arrays, all that the file has for the model.

    Returns:
        The model with random weights.

    Raises:
        InputError: for arguments that the class does not take, and a model that is larger than the
            file.

    Example:
    >>> from kerasep.models import OpenUnmixLike
    >>> build("vocals.pth", OpenUnmixLike, {"hidden": "8"}, [])
    Traceback (most recent call last):
    kerasep.errors.InputError: vocals.pth: received hidden='8', expected a whole number, such as 512
    """
    held = sum(array.size for array in state)

    def check(model):
        if model.count_params() > held:
            raise InputError(
                f"received {held} numbers, expected the {model.count_params()} of a {cls.__name__} "
                f"with its settings: fetch it again"
            )

    try:
        return building.build(cls, arguments, check)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def assign(path, slots, state, advice="check that it is this model's"):
    """Set variables from a checkpoint, all or none.

    Args:
        path: the file, for the error.
        slots: iterable of `Slot`.
        state: dict from name to numpy array; every one must have its place.
        advice: what to do about weights that do not fit, the end of the error's sentence.

    Raises:
        InputError: for the weights of another model, naming those missing, not expected and of
            another shape, and for numbers that are not finite. Nothing is set then.

    Example:
    >>> import keras, numpy as np
    >>> gain = keras.Variable([0.0, 0.0])
    >>> assign("gain.pth", [same("gain", gain)], {"gain": np.array([1.0, 2.0])})
    >>> keras.ops.convert_to_numpy(gain).tolist()
    [1.0, 2.0]
    """
    set_all(check(path, slots, state, advice))


def check(path, slots, state, advice="check that it is this model's"):
    """Compare a checkpoint with what a model takes, and convert it.

    Args:
        path: the file, for the error.
        slots: iterable of `Slot`.
        state: dict from name to numpy array.
        advice: the end of the error's sentence.

    Returns:
        List of (variable, value).

    Raises:
        InputError: as `assign`, and as `weight_values.check`.
    """
    slots = list(slots)
    expected = {name: s for slot in slots for name, s in zip(slot.names, slot.shapes, strict=True)}
    wrong = {
        "missing": [name for name in expected if name not in state],
        "not expected": [name for name in state if name not in expected],
        "of another shape": [
            f"{name} received {state[name].shape} expected {shape}"
            for name, shape in expected.items()
            if name in state and state[name].shape != shape
        ],
        "not of real numbers": [
            name for name in expected if name in state and state[name].dtype.kind not in "fiu"
        ],
    }
    if any(wrong.values()):
        report = "; ".join(f"{len(n)} {kind} ({some(n)})" for kind, n in wrong.items() if n)
        raise InputError(f"{path} holds weights of another model: {report}: {advice}")
    weight_values.check(
        path,
        ((name, slot.variable, state[name]) for slot in slots for name in slot.names),
    )
    return [
        (slot.variable, slot.convert(*(np.asarray(state[name], "float32") for name in slot.names)))
        for slot in slots
    ]


def set_all(values):
    """Set variables.

    Args:
        values: list of (variable, value), from `check`.
    """
    for variable, value in values:
        variable.assign(value)


def some(names):
    """Name the first few.

    Args:
        names: iterable of strings.

    Returns:
        One string.

    Example:
    >>> some("abcd")
    'a, b, c, ...'
    """
    names = list(names)
    return ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
