"""The weights of an ONNX file and the order in which its graph uses them."""

import math
import os
from typing import NamedTuple

import numpy as np

from kerasep.errors import InputError
from kerasep.importers import file_kinds
from kerasep.importers.protobuf import fields, floats, integers, signed, text

_LARGEST = 1 << 31  # bytes; the limit of the format
# Of tensors: NumPy's type, and the field that holds their numbers if `raw_data` does not.
_FLOATS, _INT32, _INT64, _RAW, _DOUBLES, _UINT64 = 4, 5, 7, 9, 10, 11
_TYPES = {1: ("f4", _FLOATS), 2: ("u1", _INT32), 3: ("i1", _INT32), 6: ("i4", _INT32)}
_TYPES |= {7: ("i8", _INT64), 9: ("?", _INT32), 10: ("f2", _INT32), 11: ("f8", _DOUBLES)}
_TYPES |= {13: ("u8", _UINT64), 16: ("u2", _INT32)}
_BFLOAT16 = 16
_BITS = {10: "u2", 16: "u2"}  # types whose numbers are bits in int32_data


class Node(NamedTuple):
    """An operation of the graph.

    Attributes:
        op: its type, such as "Conv".
        inputs: names of arrays, "" for one that is left out.
        outputs: names of arrays.
        attributes: dict from name to number, text, list or array.
    """

    op: str
    inputs: tuple
    outputs: tuple
    attributes: dict


class Graph(NamedTuple):
    """A graph of operations in the order in which they run.

    Attributes:
        nodes: list of `Node`.
        arrays: dict from name to array, of its initializers.
    """

    nodes: list
    arrays: dict


def read_graph(path: str | os.PathLike) -> Graph:
    """Read the weights and the operations of an ONNX file, without ONNX's package.

    Weights are the initializers, and the constants among the nodes. Graphs inside nodes are left
    out. Nothing in the file is run.

    Args:
        path: the file.

    Returns:
        A `Graph`. bfloat16 becomes float32; every other type is kept.

    Raises:
        InputError: if the file is missing, cut short or not ONNX, or its weights are in other files
            or of another type.

    Example:
    >>> read_graph("vocals.onnx")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    kerasep.errors.InputError: received vocals.onnx, which is not a file: give the path of a ...

    Reference:
        The format: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
    """
    file_kinds.check(path, onnx=True)
    try:
        if os.path.getsize(path) > _LARGEST:
            raise ValueError(f"it is larger than {_LARGEST} bytes")
        with open(path, "rb") as file:
            graphs = fields(memoryview(file.read())).get(7, [])
        if len(graphs) != 1:
            raise ValueError("it holds no graph")
        graph = fields(graphs[0])
        if 15 in graph:
            raise ValueError("it holds sparse weights, which are not read")
        arrays = dict(_tensor(content) for content in graph.get(5, []))
        nodes = [_node(content) for content in graph.get(1, [])]
    except (ValueError, TypeError, LookupError, ArithmeticError) as error:
        reason = error if type(error) is ValueError else "it is malformed"
        raise InputError(
            f"{path} is not an ONNX file of weights: {reason}: download or export it again"
        ) from error
    constants = {
        node.outputs[0]: node.attributes["value"]
        for node in nodes
        if node.op == "Constant" and len(node.outputs) == 1 and "value" in node.attributes
    }
    return Graph([node for node in nodes if node.op != "Constant"], {**constants, **arrays})


def _node(content):
    node = fields(content)
    return Node(
        text(node.get(4, [b""])[-1]),
        tuple(map(text, node.get(1, []))),
        tuple(map(text, node.get(2, []))),
        dict(map(_attribute, node.get(5, []))),
    )


def _attribute(content):
    """Return name and value; None for a graph and for other values that no weight needs."""
    attribute = fields(content)
    readers = {
        5: lambda values: _tensor(values[-1])[1],
        2: lambda values: float(floats(values, "<f4")[-1]),
        3: lambda values: signed(values[-1]),
        4: lambda values: text(values[-1]),
        7: lambda values: floats(values, "<f4").tolist(),
        8: lambda values: integers(values).tolist(),
    }
    value = next((read(attribute[at]) for at, read in readers.items() if at in attribute), None)
    return text(attribute[1][-1]), value


def _tensor(content):
    """Return the name and the array of a TensorProto."""
    tensor = fields(content)
    name = text(tensor.get(8, [b""])[-1])
    shape = integers(tensor.get(1, [])).tolist()
    kind = tensor.get(2, [0])[-1]
    if 13 in tensor or tensor.get(14, [0])[-1]:
        raise ValueError(f"the numbers of {name!r} are in another file, which is not read")
    if kind not in _TYPES:
        raise ValueError(f"{name!r} is of type {kind}, which is not read")
    dtype, field = _TYPES[kind]
    if _RAW in tensor:
        values = np.frombuffer(tensor[_RAW][-1], np.dtype(dtype).newbyteorder("<"))
    elif field in (_FLOATS, _DOUBLES):
        values = floats(tensor.get(field, []), "<" + dtype)
    else:
        values = integers(tensor.get(field, [])).astype(_BITS.get(kind, dtype)).view(dtype)
    if min(shape, default=0) < 0 or math.prod(shape) != values.size:
        raise ValueError(f"{name!r} has {values.size} numbers, expected {shape}")
    if kind == _BFLOAT16:  # the upper half of a float32
        values = (values.astype("u4") << 16).view("f4")
    return name, values.reshape(shape)
