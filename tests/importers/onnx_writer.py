"""ONNX files as exporters write them, and some that none would."""

import numpy as np

KINDS = {"f4": 1, "u1": 2, "i1": 3, "i4": 6, "i8": 7, "?": 9, "f2": 10, "f8": 11, "u8": 13}
FLOATS, INT32, INT64, RAW, DOUBLES, UINT64 = 4, 5, 7, 9, 10, 11
FIELDS = {"f4": FLOATS, "f8": DOUBLES, "i8": INT64, "u8": UINT64}


def varint(value):
    value &= (1 << 64) - 1
    content = b""
    while value >> 7:
        content, value = content + bytes([value & 0x7F | 0x80]), value >> 7
    return content + bytes([value])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + np.float32(value).tobytes()
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def packed(values):
    return b"".join(map(varint, values))


def tensor(name, array, raw=True):
    """Return a TensorProto, its numbers as bytes or in the field of its type."""
    kind = array.dtype.str[1:].replace("b1", "?")
    content = packed(array.shape)
    message = (field(1, content) if content else b"") + field(2, KINDS[kind]) + field(8, name)
    if raw:
        return message + field(RAW, array.tobytes())
    if kind in ("f4", "f8"):
        return message + field(FIELDS[kind], array.tobytes())
    bits = array.view("u2") if kind == "f2" else array
    return message + field(FIELDS.get(kind, INT32), packed(map(int, bits.ravel())))


def attribute(name, value):
    message = field(1, name)
    if isinstance(value, np.ndarray):
        return message + field(5, tensor("", value))
    if isinstance(value, list):
        return message + b"".join(field(8, each) for each in value)
    return message + field({float: 2, int: 3, str: 4}[type(value)], value)


def node(op, inputs, outputs, **attributes):
    message = b"".join(field(1, name) for name in inputs) + field(4, op)
    message += b"".join(field(2, name) for name in outputs)
    return message + b"".join(field(5, attribute(*item)) for item in attributes.items())


def graph(nodes, arrays, raw=True):
    content = b"".join(field(1, each) for each in nodes)
    return content + b"".join(field(5, tensor(*item, raw)) for item in arrays.items())


def write(path, nodes=(), arrays=None, raw=True):
    """Write a model of nodes, from `node`, and a dict of arrays; return its path."""
    model = field(1, 8) + field(2, "tests") + field(7, graph(nodes, arrays or {}, raw))
    path.write_bytes(model)
    return path
