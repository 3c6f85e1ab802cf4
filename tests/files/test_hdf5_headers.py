"""What an HDF5 file declares is compared with what it holds before a number is read."""

import zlib

import h5py
import numpy as np
import pytest

from kerasep.errors import InputError
from kerasep.files import hdf5_headers
from kerasep.system import memory

GIGABYTE = 1 << 30


@pytest.fixture
def write(tmp_path):
    """Function of a function that fills an open file; returns its path."""

    def written(fill, **options):
        path = tmp_path / "some.weights.h5"
        with h5py.File(path, "w", **options) as file:
            fill(file)
        return path

    return written


def refused(path, message):
    before = memory.peak()
    with pytest.raises(InputError, match=message) as caught:
        hdf5_headers.shapes(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert memory.peak() - before < 100 << 20


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_shapes_of_plain_and_compressed_arrays(write, rng, libver):
    def fill(file):
        file["layers/dense/vars/0"] = rng.random((3, 2), "float32")
        file["layers/dense/vars/1"] = np.float16(rng.random(2))
        file["optimizer/vars/0"] = np.int64(3)
        values = np.round(rng.random((50, 70), "float32"), 2)
        file.create_dataset("a", data=values, compression="gzip", shuffle=True)
        file.create_dataset("b", data=values, compression="gzip", chunks=(13, 17))
        file.create_dataset("c", data=values, chunks=(13, 17))
        file.create_dataset("d", data=rng.random(50), compression="gzip", chunks=(7,))
        file.create_dataset("e", data=np.zeros(3000, "float32"), compression="gzip")
        file["f"] = np.zeros((0, 3), "float32")

    assert hdf5_headers.shapes(write(fill, libver=libver)) == {
        "layers/dense/vars/0": (3, 2),
        "layers/dense/vars/1": (2,),
        "optimizer/vars/0": (),
        **dict.fromkeys("abc", (50, 70)),
        "d": (50,),
        "e": (3000,),
        "f": (0, 3),
    }


@pytest.mark.parametrize("count", [GIGABYTE // 4, 1 << 50])
@pytest.mark.parametrize(
    "options", [{}, {"chunks": (1000,)}, {"compression": "gzip"}, {"chunks": (1 << 20,)}]
)
def test_more_declared_than_held(write, count, options):
    path = write(lambda file: file.create_dataset("big", (count,), "float32", **options))
    refused(path, r"big declares \d+ bytes")


def test_a_bomb_of_zeros(write):
    """A thousand times smaller in the file, as gzip makes of zeros."""

    def fill(file):
        options = {"chunks": (1, 1 << 20), "compression": 9}
        array = file.create_dataset("big", (25, 1 << 20), "float32", **options)
        for row in range(25):
            array[row] = 0

    path = write(fill)
    assert path.stat().st_size < 1 << 20
    refused(path, "big declares 104857600 bytes")


def test_a_part_that_unpacks_to_more_than_its_size(write, rng):
    def fill(file):
        array = file.create_dataset("small", (1000,), "float32", compression=9)
        assert array.chunks == (1000,)
        array.id.write_direct_chunk((0,), zlib.compress(bytes(300 << 20), 9))

    refused(write(fill), "small holds a part that is not of its size")


def test_other_filters(write, rng):
    for options in ({"compression": "lzf"}, {"fletcher32": True}, {"scaleoffset": 3}):
        refused(
            write(
                lambda file, options=options: file.create_dataset(
                    "a", data=rng.random(9), **options
                )
            ),
            "another filter than gzip",
        )


def test_links_are_not_followed(write, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["secret"] = np.ones(3)
    links = {
        "is a link": h5py.ExternalLink(str(tmp_path / "other.h5"), "secret"),
        "loop is a link": h5py.SoftLink("/loop"),
        "up is a link": h5py.SoftLink("/"),
    }
    for message, link in links.items():
        name = message.split()[0]
        refused(write(lambda file, name=name, link=link: file.update({name: link})), message)


def test_numbers_in_other_files(write, tmp_path):
    (tmp_path / "numbers").write_bytes(bytes(24))

    def external(file):
        file.create_dataset("a", (3,), "float64", external=[(str(tmp_path / "numbers"), 0, 24)])

    def virtual(file):
        layout = h5py.VirtualLayout((3,), "float64")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "secret", (3,))
        file.create_virtual_dataset("a", layout)

    for fill in (external, virtual):
        refused(write(fill), "a lies in other files")


def test_two_names_for_one_thing(write):
    def aliased(file):
        file["a"] = np.ones(3)
        file["b"] = file["a"]

    def loop(file):
        group = file.create_group("group")
        group["again"] = group

    def root(file):
        file.create_group("group")["root"] = file["/"]

    for fill in (aliased, loop, root):
        refused(write(fill), "another name for something else")


def test_other_than_numbers(write):
    text = h5py.string_dtype()
    contents = {
        "text": np.array(["a"], text),
        "bytes": np.array([b"abc"]),
        "complex": np.ones(3, "complex64"),
        "record": np.zeros(3, [("a", "f4"), ("b", "f4")]),
        "flag": np.array([True]),
        "long": np.ones(3, "longdouble"),
    }
    for name, content in contents.items():
        refused(write(lambda file, n=name, c=content: file.update({n: c})), f"{name} holds no num")
    ragged = h5py.vlen_dtype("float32")
    refused(write(lambda file: file.create_dataset("r", (2,), ragged)), "r holds no numbers")
    array = np.dtype(("f4", (1 << 20,)))
    refused(write(lambda file: file.create_dataset("r", (1 << 20,), array)), "r holds no numbers")
    refused(write(lambda file: file.create_dataset("r", (2,), h5py.ref_dtype)), "r holds no numb")
    refused(write(lambda file: file.update({"type": np.dtype("f4")})), "type is not an array")
    refused(write(lambda file: file.update({"none": h5py.Empty("f4")})), "none has no shape")


def test_a_large_attribute(write):
    def fill(file):
        file["a"] = np.ones(3)
        file["a"].attrs["dtype"] = np.zeros(1000)

    refused(write(fill), "a has a large attribute")


def test_many_groups_and_deep_ones(write):
    deep = "/".join("g" * 2000)
    assert hdf5_headers.shapes(write(lambda file: file.create_group(deep))) == {}

    def many(file):
        for index in range(3000):
            file.create_group(str(index))

    assert hdf5_headers.shapes(write(many, libver="latest")) == {}


def test_names_that_no_terminal_shows(write):
    refused(
        write(lambda file: file.update({"a\nb\u202e": h5py.SoftLink("/")})), "a b.u202e is a link"
    )


def test_another_kind_of_file(tmp_path):
    for content in (b"", b"no HDF5", b"\x89HDF\r\n\x1a\n" + bytes(100)):
        path = tmp_path / "text.weights.h5"
        path.write_bytes(content)
        refused(path, "expected a .weights.h5 file that Keras wrote")
