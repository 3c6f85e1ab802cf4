"""Weights and nodes out of ONNX files, whole, damaged and hostile."""

import numpy as np
import pytest

from kerasep.errors import InputError
from kerasep.importers.onnx_file import Node, read_graph
from kerasep.system import memory
from tests.importers import onnx_writer
from tests.importers.onnx_writer import field, node, packed, varint, write

SIX = np.arange(-2, 4)
CONV = {"kernel_shape": [3, 3], "group": 1, "auto_pad": "SAME_UPPER", "alpha": 0.5}


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize("kind", onnx_writer.KINDS)
def test_arrays_of_every_type(tmp_path, kind, raw):
    arrays = {"w": abs(SIX).astype(kind).reshape(2, 3), "scalar": np.array(3, kind)}
    if kind in ("f2", "f4", "f8", "i8"):
        arrays["signed"] = SIX.astype(kind)
    read = read_graph(write(tmp_path / "a.onnx", arrays=arrays, raw=raw)).arrays
    np.testing.assert_equal(read, arrays)
    assert {array.dtype for array in read.values()} == {np.dtype(kind)}


def test_bfloat16_becomes_float32(tmp_path):
    halves = (np.float32(SIX).view("u4") >> 16).astype("u2").tobytes()
    tensor = field(1, 6) + field(2, 16) + field(8, "w") + field(9, halves)
    path = tmp_path / "a.onnx"
    path.write_bytes(field(1, 8) + field(2, "x") + field(7, field(5, tensor)))
    np.testing.assert_equal(read_graph(path).arrays, {"w": np.float32(SIX)})


def test_nodes_come_in_their_order_with_attributes(tmp_path):
    ones = np.ones(2, "f4")
    nodes = [
        node("Constant", [], ["c"], value=ones),
        node("Conv", ["x", "w", ""], ["y"], **CONV),
        node("Relu", ["y"], ["z"], axis=-1),
    ]
    graph = read_graph(write(tmp_path / "a.onnx", nodes, {"w": ones + 1}))
    assert graph.nodes == [
        Node("Conv", ("x", "w", ""), ("y",), CONV),
        Node("Relu", ("y",), ("z",), {"axis": -1}),
    ]
    np.testing.assert_equal(graph.arrays, {"c": ones, "w": ones + 1})


def model(content):
    return field(1, 8) + field(2, "x") + field(7, content)


def weights(*parts):
    return model(field(5, b"".join(parts)))


FOUR = np.ones(4, "f4").tobytes()
REFUSED = {
    "in another file": weights(field(2, 1), field(8, "w"), field(14, 1), field(13, "x")),
    "of type 17": weights(field(2, 17), field(9, FOUR)),
    "of type 8": weights(field(2, 8)),
    "has 4 numbers": weights(field(1, 5), field(2, 1), field(9, FOUR)),
    "has 4 numbers, ex": weights(field(1, -2), field(1, -2), field(2, 1), field(9, FOUR)),
    "has 0 numbers": weights(field(1, 1 << 62), field(1, 1 << 62), field(2, 1)),
    "sparse": model(field(15, b"")),
    "no graph": field(1, 8) + field(2, "x"),
    "multiple of element size": weights(field(1, 4), field(2, 1), field(9, FOUR[:-1])),
    "malformed:": model(field(1, field(4, b"\xff"))),
    "cut short": model(b"\x0a\xff\xff\xff\xff\x0f"),
    "more than 10 bytes": model(b"\xff" * 11),
    "more than 10": weights(field(1, b"\xff" * 10 + b"\x01"), field(2, 1)),
    "more than 262144 parts": model(field(1, b"") * (1 << 19)),
}


@pytest.mark.parametrize("case", REFUSED)
def test_other_and_hostile_files_are_refused(tmp_path, case):
    before, path = memory.peak(), tmp_path / "a.onnx"
    path.write_bytes(REFUSED[case])
    with pytest.raises(InputError, match=rf"a\.onnx is not an ONNX file of weights.*{case}"):
        read_graph(path)
    assert memory.peak() - before < 200 << 20


def test_a_file_cut_anywhere_is_refused_or_has_less(tmp_path):
    nodes = [node("Conv", ["x", "w"], ["y"], **CONV)]
    path = write(tmp_path / "a.onnx", nodes, {"w": np.ones((2, 3), "f4")})
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"a\.onnx"):
            read_graph(path)


def test_a_damaged_file_is_read_or_refused_and_nothing_else(tmp_path):
    nodes = [node("Conv", ["x", "w"], ["y"], **CONV)]
    path = write(tmp_path / "a.onnx", nodes, {"w": np.ones((2, 3), "f4")}, raw=False)
    whole, random, refused = path.read_bytes(), np.random.default_rng(0), 0
    for _ in range(200):
        damaged = bytearray(whole)
        damaged[random.integers(len(whole))] = random.integers(256)
        path.write_bytes(damaged)
        try:
            read_graph(path)
        except InputError:
            refused += 1
    assert 40 < refused < 200


def test_numbers_of_every_length_in_one_field(tmp_path):
    numbers = [0, 1, 127, 128, 1 << 20, 1 << 62, -1, -(1 << 63)]
    tensor = field(1, 8) + field(2, 7) + field(8, "n") + field(7, packed(numbers))
    path = tmp_path / "a.onnx"
    path.write_bytes(model(field(5, tensor)))
    assert read_graph(path).arrays["n"].tolist() == numbers
    unpacked = b"".join(varint(7 << 3) + varint(number) for number in numbers)
    path.write_bytes(model(field(5, field(1, 8) + field(2, 7) + field(8, "n") + unpacked)))
    assert read_graph(path).arrays["n"].tolist() == numbers
