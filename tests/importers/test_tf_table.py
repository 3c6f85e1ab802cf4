"""An index that lies is refused before TensorFlow, which it would end, sees it."""

import math
import pathlib
import struct

import pytest

from kerasep.errors import InputError
from kerasep.importers import spleeter, tf_table

FOLDER = pathlib.Path(__file__).parents[1] / "golden/spleeter/2stems"
DATA = "model.data-00000-of-00001"


def number(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(index, value):
    if isinstance(value, int):
        return number(8 * index) + number(value)
    return number(8 * index + 2) + number(len(value)) + value


def array(shape, kind=1, offset=0, size=None, more=b""):
    size = 4 * math.prod(shape) if size is None else size
    dims = b"".join(field(2, field(1, extent)) for extent in shape)
    checksum = bytes([6 * 8 + 5]) + bytes(4)
    return field(1, kind) + field(2, dims) + field(4, offset) + field(5, size) + checksum + more


def block(entries):
    out = b"".join(
        number(0) + number(len(key)) + number(len(value)) + key + value for key, value in entries
    )
    return out + struct.pack("<II", 0, 1)


def table(entries, header=None, kind=b"\0"):
    header = field(1, 1) if header is None else header
    content = block([(b"", header), *entries])
    index = block([(b"~", number(0) + number(len(content)))])
    out, starts = b"", []
    for each in (content, block([]), index):
        starts += [len(out), len(each)]
        out += each + kind + struct.pack("<I", tf_table._checksum(each + kind))
    footer = b"".join(number(value) for value in starts[2:])
    return out + footer.ljust(40, b"\0") + tf_table.MAGIC


@pytest.fixture
def write(tmp_path):
    def written(index, size=400):
        (tmp_path / "model.index").write_bytes(index)
        (tmp_path / DATA).write_bytes(bytes(size))
        return tmp_path

    return written


def refused(folder, message):
    with pytest.raises(InputError, match=message) as caught:
        spleeter.weights(folder)
    assert "\n" not in str(caught.value)
    assert str(folder / "model") in str(caught.value)


def test_what_tensorflow_writes():
    for name in ("2stems", "4stems", "5stems"):
        folder = FOLDER.parent / name
        tf_table.check((folder / "model.index").read_bytes(), (folder / DATA).stat().st_size)


def test_what_the_test_writes():
    tf_table.check(table([(b"a", array((10, 10))), (b"b", array((), 9, size=8))]), 408)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (array((1 << 40,)), "it declares 4398046511104 bytes for 'a'"),
        (array((1 << 31, 1 << 31, 0)), "it declares 0 bytes for 'a'"),
        (array((2**64 - 1,), size=4), "bytes for 'a'"),
        (array((10,), size=44), "it declares 40 bytes for 'a'"),
        (array((10,), offset=361), "it declares 40 bytes for 'a'"),
        (array((10,), offset=2**64 - 40), "it declares 40 bytes for 'a'"),
        (array((1,) * 300), "it declares 4 bytes for 'a'"),
        (array((10,), kind=7), "it holds 'a', which is not of numbers"),
        (array((10,), kind=1000), "it holds 'a', which is not of numbers"),
        (array((10,), more=field(3, 1)), "it holds 'a', which is not of numbers"),
        (array((10,), more=field(7, b"x")), "a description in it is malformed"),
        (array((10,), more=field(4, b"x")), "a description in it is malformed"),
        (array((10,))[:-3], "a description in it is malformed"),
        (field(1, 1) + field(2, field(3, 1)), "a description in it is malformed"),
        (b"\xff" * 20, "a number in it is malformed"),
    ],
)
def test_descriptions_that_lie(write, entry, message):
    refused(write(table([(b"a", entry)])), message)


def test_arrays_on_top_of_each_other(write):
    entries = [(b"%03d" % index, array((100,))) for index in range(100)]
    refused(write(table(entries)), "larger than its file of numbers")


def test_other_tables(write):
    entry = [(b"a", array((10,)))]
    refused(write(table(entry, field(1, 2))), "not in one file")
    refused(write(table(entry, field(1, 1) + field(2, 1))), "not little-endian")
    refused(write(table(entry, kind=b"\1")), "damaged or compressed")
    refused(write(table(entry * 2)), "not in order")
    index = bytearray(table(entry))
    index[3] ^= 1
    refused(write(index), "damaged or compressed")
    refused(write(bytes(60) + tf_table.MAGIC), "malformed|missing|order|damaged")
    refused(write(bytes(1 << 23) + tf_table.MAGIC), "its index is larger than")


def test_numbers_that_are_not_finite(tmp_path):
    import numpy as np
    import tensorflow as tf

    from kerasep.models import SpleeterLike

    model = SpleeterLike(n_fft=64, hop=16, filters=[2, 3], segment=8, max_hz=None)
    names = {}
    for index, source in enumerate(model.sources):
        for slot in spleeter._slots(model, source, index):
            names[slot.names[0]] = np.ones(slot.shapes[0], "float32")
    last = max(names)
    names[last].ravel()[0] = np.nan
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        variables = [
            tf.compat.v1.Variable(value, name=name, use_resource=False)
            for name, value in names.items()
        ]
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.train.Saver(variables).save(session, str(tmp_path / "model"))
    before = model.get_weights()
    with pytest.raises(InputError, match=f"holds {last} with 1 of .* not finite"):
        spleeter.load(model, tmp_path)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
