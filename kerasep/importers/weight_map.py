"""Slots: which arrays of a checkpoint set which variable of a Keras model, and how."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np

from kerasep.errors import InputError
from kerasep.models import building, weight_values

_NAMED = 3


class Slot(NamedTuple):
    """A variable, and the arrays of the checkpoint that its value is computed from.

    Attributes:
        names: of the checkpoint's arrays.
        shapes: of these arrays.
        variable: a Keras variable.
        convert: function of the arrays that returns the variable's value.
    """

    names: tuple
    shapes: tuple
    variable: Any
    convert: Callable


def same(name: str, variable: keras.Variable) -> Slot:
    """Map an array to a variable of the same shape.

    Args:
        name: the array's name in the checkpoint.
        variable: a Keras variable.

    Example:
    >>> import keras
    >>> same("gain", keras.Variable([1.0, 2.0])).shapes
    ((2,),)
    """
    return Slot((name,), (tuple(variable.shape),), variable, lambda value: value)


def reshaped(name: str, variable: keras.Variable, shape: Iterable[int]) -> Slot:
    """Map an array to a variable of another shape and the same order of elements.

    Args:
        name: the array's name in the checkpoint.
        variable: a Keras variable.
        shape: the array's shape.

    Example:
    >>> import keras
    >>> reshaped("gain", keras.Variable([1.0, 2.0]), (1, 2, 1)).names
    ('gain',)
    """
    target = tuple(variable.shape)
    return Slot((name,), (tuple(shape),), variable, lambda value: value.reshape(target))


def transposed(name: str, variable: keras.Variable, axes: Iterable[int] | None = None) -> Slot:
    """Map an array to a variable with its axes in another order.

    Args:
        name: the array's name in the checkpoint.
        variable: a Keras variable.
        axes: for each axis of the variable, the array's. Default: reversed.

    Example:
    >>> import keras, numpy as np
    >>> transposed("weight", keras.Variable(np.zeros((2, 3)))).shapes
    ((3, 2),)
    """
    order = tuple(axes or range(len(variable.shape))[::-1])
    shape = tuple(variable.shape[order.index(axis)] for axis in range(len(order)))
    return Slot((name,), (shape,), variable, lambda value: value.transpose(order))


def dense(name: str, layer: keras.layers.Dense, axes: int = 0) -> Iterator[Slot]:
    """Map PyTorch's `Linear` to `Dense`.

    Args:
        name: the module's name, such as "fc1".
        layer: a built `keras.layers.Dense`.
        axes: number of axes of length 1 after the kernel's two. Defaults to 0.
    """
    inputs, outputs = layer.kernel.shape
    shape = (outputs, inputs, *(1 for _ in range(axes)))
    yield Slot(
        (f"{name}.weight",), (shape,), layer.kernel, lambda value: value.reshape(outputs, inputs).T
    )
    if layer.use_bias:
        yield same(f"{name}.bias", layer.bias)


def pointwise(name: str, layer: keras.layers.Dense) -> Iterator[Slot]:
    """Map PyTorch's `Conv1d` of kernel size 1 to `Dense`.

    Args:
        name: the module's name.
        layer: a built `keras.layers.Dense`.
    """
    return dense(name, layer, axes=1)


def convolution(name: str, layer: keras.layers.Layer) -> Iterator[Slot]:
    """Map PyTorch's `Conv1d`, `Conv2d`, `ConvTranspose1d` or `ConvTranspose2d` to Keras' layer.

    PyTorch has `(out, in, size...)`, or `(in, out, size...)` for the transposed ones; Keras has
    `(size..., in, out)` and `(size..., out, in)`. So one order of axes serves both.

    Args:
        name: the module's name.
        layer: a built layer with `kernel`, `use_bias` and `bias`; not a depthwise one.
    """
    axes = (*range(2, len(layer.kernel.shape)), 1, 0)
    yield transposed(f"{name}.weight", layer.kernel, axes)
    if layer.use_bias:
        yield same(f"{name}.bias", layer.bias)


def batch_norm(name: str, layer: keras.layers.BatchNormalization) -> Iterator[Slot]:
    """Map PyTorch's `BatchNorm` to `BatchNormalization`.

    Args:
        name: the module's name.
        layer: a built `keras.layers.BatchNormalization` with scale and centre.
    """
    yield same(f"{name}.weight", layer.gamma)
    yield same(f"{name}.bias", layer.beta)
    yield same(f"{name}.running_mean", layer.moving_mean)
    yield same(f"{name}.running_var", layer.moving_variance)


def lstm(name: str, cells: Iterable[keras.layers.Layer]) -> Iterator[Slot]:
    """Map PyTorch's `LSTM` of several layers.

    The gates come in the same order. Of the two biases only the sum has an effect.

    Args:
        name: the module's name, such as "lstm".
        cells: built `keras.layers.LSTM`, or `Bidirectional` of them, one per layer: the `cells` of
            a `kerasep.layers.RecurrentStack`.
    """
    for index, layer in enumerate(cells):
        directions = {"": layer}
        if hasattr(layer, "forward_layer"):
            directions = {"": layer.forward_layer, "_reverse": layer.backward_layer}
        for suffix, direction in directions.items():
            end, cell = f"l{index}{suffix}", direction.cell
            yield transposed(f"{name}.weight_ih_{end}", cell.kernel)
            yield transposed(f"{name}.weight_hh_{end}", cell.recurrent_kernel)
            shape = tuple(cell.bias.shape)
            biases = (f"{name}.bias_ih_{end}", f"{name}.bias_hh_{end}")
            yield Slot(biases, (shape, shape), cell.bias, np.add)


def build(
    path: str | os.PathLike, cls: type, arguments: dict, state: Iterable[np.ndarray]
) -> keras.Model:
    """Build a model for a checkpoint, unless it would have more weights than the checkpoint.

    Args:
        path: the file, for the error.
        cls: a class of `kerasep.models`.
        arguments: the class's arguments according to the file, of any kind and size.
        state: all arrays that the file has for the model.

    Returns:
        The model with random weights.

    Raises:
        InputError: for arguments that the class does not take, and a model larger than the file.

    Example:
    >>> from kerasep.models import OpenUnmixLike
    >>> build("vocals.pth", OpenUnmixLike, {"hidden": "8"}, [])
    Traceback (most recent call last):
    kerasep.errors.InputError: vocals.pth: received hidden='8', expected a whole number, such as 512
    """
    size = sum(array.size for array in state)

    def check_size(model):
        if model.count_params() > size:
            raise InputError(
                f"received {size} numbers, expected the {model.count_params()} of a {cls.__name__} "
                f"with its settings: fetch it again"
            )

    try:
        return building.build(cls, arguments, check_size)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def assign(
    path: str | os.PathLike,
    slots: Iterable[Slot],
    state: dict,
    advice: str = "check that it is this model's",
) -> None:
    """Set variables from a checkpoint, all or none.

    Args:
        path: the file, for the error.
        slots: of all the model's weights.
        state: dict from name to numpy array. Every array must have its slot.
        advice: the end of the error's sentence: what to do about weights that do not fit.

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


def check(path: str | os.PathLike, slots: Iterable[Slot], state: dict, advice: str) -> list[tuple]:
    """Return (variable, value) for `set_all`; raise as `assign` does."""
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
        path, ((name, slot.variable, state[name]) for slot in slots for name in slot.names)
    )
    return [
        (slot.variable, slot.convert(*(np.asarray(state[name], "float32") for name in slot.names)))
        for slot in slots
    ]


def set_all(values: Iterable[tuple]) -> None:
    """Set variables to values."""
    for variable, value in values:
        variable.assign(value)


def check_class(model: keras.Model, *classes: type) -> None:
    """Raise an error for a model of another class."""
    if not isinstance(model, classes):
        expected = " or ".join(cls.__name__ for cls in classes)
        raise InputError(f"received a model of {type(model).__name__}, expected {expected}")


def check_settings(
    path: str | os.PathLike, config: Mapping[str, Any], settings: Mapping[str, Any], advice: str
) -> None:
    """Raise `InputError` if a model lacks settings of a file that no shape of a weight shows."""
    differing = [
        f"{name}={config[name]!r} but the file has {value!r}"
        for name, value in settings.items()
        if config[name] != value
    ]
    if differing:
        raise InputError(f"received for {path} a model with {some(differing)}: {advice}")


def check_holds(path: str | os.PathLike, state: dict, name: str, owner: str) -> None:
    """Validate that a file has the tensor that shows whose weights it holds."""
    if name not in state:
        raise InputError(
            f"{path} holds {len(state)} tensors ({some(state)}) without {name}, expected the "
            f"weights of {owner}"
        )


def check_sources(path: str | os.PathLike, sources: tuple[str, ...], count: int) -> None:
    """Validate that there are as many names as a file's model has sources."""
    if len(sources) != count:
        raise InputError(
            f"{path} is of a model with {count} sources, received the names {list(sources)}: pass "
            f"their names in sources=[...]"
        )


def some(names: Iterable[str]) -> str:
    """Join the first few names."""
    names = list(names)
    return ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
