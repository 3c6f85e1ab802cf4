"""Tensors out of files of both of PyTorch's formats, whole or damaged."""

import collections
import pickle
import struct
import zipfile

import numpy as np
import pytest

from kerasep.errors import InputError
from kerasep.importers.torch_file import read_state_dict
from tests.importers.torch_writer import (
    FLOATS,
    ORDERED,
    REBUILD,
    SIX,
    WRITERS,
    Call,
    Name,
    Saved,
    pickled,
    tensor,
    write_legacy,
    write_zip,
)


@WRITERS
def test_a_view_keeps_its_offset_and_strides(tmp_path, write):
    state = {"whole": tensor((2, 3), (3, 1)), "column": tensor((2,), (3,), offset=1)}
    read = read_state_dict(write(tmp_path / "a.pth", state, SIX.tobytes()))
    np.testing.assert_array_equal(read["whole"], SIX.reshape(2, 3))
    np.testing.assert_array_equal(read["column"], [1, 4])
    assert list(read) == ["whole", "column"]
    assert np.shares_memory(read["whole"], read["column"])


@WRITERS
@pytest.mark.parametrize("nest", ["state_dict", "model"])
def test_a_nested_state_dict_is_found_and_other_entries_left_out(tmp_path, write, nest):
    state = {"epoch": 3, nest: {"w": tensor((6,), (1,)), "version": "1"}, "lr": [0.1]}
    read = read_state_dict(write(tmp_path / "a.pth", state, SIX.tobytes()))
    assert list(read) == ["w"]


def test_a_legacy_storage_view_adds_its_offset(tmp_path):
    state = {"w": tensor((2,), (1,), offset=1, view=(("0:2", 2, 4),))}
    read = read_state_dict(write_legacy(tmp_path / "a.pth", state, SIX.tobytes()))
    np.testing.assert_array_equal(read["w"], [3, 4])


def test_a_legacy_checkpoint_with_tensors_beside_the_state_dict_is_read(tmp_path):
    momentum = Call(
        REBUILD, Saved(("storage", FLOATS, "9", "cpu", 6)), 0, (6,), (1,), False, Call(ORDERED)
    )
    state = {"state_dict": {"w": tensor((6,), (1,))}, "optimizer": {"m": momentum}}
    numbers = SIX.tobytes() + struct.pack("<q", 6) + (SIX + 10).tobytes()
    read = read_state_dict(write_legacy(tmp_path / "a.pth", state, numbers, keys=("0", "9")))
    np.testing.assert_array_equal(read["w"], SIX)


def test_big_endian_archives_are_turned(tmp_path):
    path = write_zip(tmp_path / "a.pth", {"w": tensor((6,), (1,))}, SIX.astype(">f4"), "big")
    np.testing.assert_array_equal(read_state_dict(path)["w"], SIX)


@WRITERS
def test_bfloat16_becomes_float32(tmp_path, write):
    halves = (SIX.view("u4") >> 16).astype("<u2")
    state = {"w": tensor((6,), (1,), kind=Name("torch", "BFloat16Storage"))}
    read = read_state_dict(write(tmp_path / "a.pth", state, halves.tobytes()))
    assert read["w"].dtype == np.float32
    np.testing.assert_array_equal(read["w"], SIX)


@WRITERS
@pytest.mark.parametrize(
    ("kind", "dtype"),
    [("Half", "f2"), ("Double", "f8"), ("Long", "i8"), ("Byte", "u1"), ("ComplexFloat", "c8")],
)
def test_other_types_are_kept(tmp_path, write, kind, dtype):
    state = {"w": tensor((6,), (1,), kind=Name("torch", f"{kind}Storage"))}
    read = read_state_dict(write(tmp_path / "a.pth", state, SIX.astype(dtype).tobytes()))
    assert read["w"].dtype == np.dtype(dtype)
    np.testing.assert_array_equal(read["w"], SIX)


def test_plain_ordered_dicts_of_the_pickle_module_are_understood(tmp_path):
    path = tmp_path / "a.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", pickle.dumps(collections.OrderedDict(epoch=3)))
    with pytest.raises(InputError, match="no named tensors"):
        read_state_dict(path)


@WRITERS
@pytest.mark.parametrize(
    ("size", "stride", "offset"),
    [
        ((7,), (1,), 0),
        ((2, 3), (4, 1), 0),
        ((2,), (1,), 5),
        ((2,), (-1,), 0),
        ((2,), (1,), -1),
        ((-2,), (1,), 0),
        ((2,), (1 << 62,), 0),
        ((1 << 62,), (0,), 1 << 70),
        ((2, 2), (1,), 0),
        ((1 << 40,), (0,), 0),
    ],
)
def test_a_tensor_outside_its_storage_is_refused(tmp_path, write, size, stride, offset):
    path = write(tmp_path / "a.pth", {"w": tensor(size, stride, offset)}, SIX.tobytes())
    with pytest.raises(InputError, match="'w' reaches outside its storage"):
        read_state_dict(path)


def test_an_empty_tensor_and_a_scalar_keep_their_shapes(tmp_path):
    state = {"empty": tensor((0, 3), (3, 1)), "scalar": tensor((), (), offset=2)}
    read = read_state_dict(write_zip(tmp_path / "a.pth", state, SIX.tobytes()))
    assert read["empty"].shape == (0, 3)
    assert read["scalar"] == 2


@WRITERS
def test_a_truncated_storage_is_refused(tmp_path, write):
    path = write(tmp_path / "a.pth", {"w": tensor((6,), (1,))}, SIX.tobytes()[:-1])
    with pytest.raises(InputError, match="truncated"):
        read_state_dict(path)


@WRITERS
def test_a_file_cut_anywhere_is_refused(tmp_path, write):
    path = write(tmp_path / "a.pth", {"w": tensor((6,), (1,))}, SIX.tobytes())
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError):
            read_state_dict(path)


def test_a_legacy_storage_of_another_size_is_refused(tmp_path):
    path = write_legacy(tmp_path / "a.pth", {"w": tensor((6,), (1,))}, SIX.tobytes(), count=5)
    with pytest.raises(InputError, match="declared size"):
        read_state_dict(path)


@pytest.mark.parametrize("keys", [(), ("1",), (3,), ([],)])
def test_a_legacy_file_without_its_storage_is_refused(tmp_path, keys):
    path = write_legacy(tmp_path / "a.pth", {"w": tensor((6,), (1,))}, SIX.tobytes(), keys=keys)
    with pytest.raises(InputError, match=r"a\.pth"):
        read_state_dict(path)


def test_a_compressed_bomb_is_refused(tmp_path):
    state = {"w": tensor((6,), (1,))}
    bomb = write_zip(tmp_path / "a.pth", state, bytes(1 << 20), compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(InputError, match="compressed"):
        read_state_dict(bomb)


def test_a_bomb_of_overlapping_entries_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.pth", "w") as archive:
        archive.writestr("a/data.pkl", pickled({"w": tensor((6,), (1,))}))
        archive.writestr("a/data/0", bytes(10_000))
        for key in "123":
            archive.writestr(f"a/data/{key}", b"")
            archive.filelist[-1].header_offset = archive.filelist[1].header_offset
            archive.filelist[-1].file_size = archive.filelist[-1].compress_size = 10_000
    with pytest.raises(InputError, match="more than its own size"):
        read_state_dict(tmp_path / "a.pth")


@WRITERS
def test_a_damaged_file_is_read_or_refused_and_nothing_else(tmp_path, write):
    path = write(tmp_path / "a.pth", {"w": tensor((6,), (1,))}, SIX.tobytes())
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    refused = 0
    for _ in range(500):
        damaged = bytearray(whole)
        damaged[random.integers(len(whole))] = random.integers(256)
        path.write_bytes(damaged)
        try:
            (array,) = read_state_dict(path).values()
            assert array.size <= 6
        except InputError:
            refused += 1
    assert 100 < refused < 500


def test_a_storage_larger_than_declared_is_refused(tmp_path):
    path = write_zip(tmp_path / "a.pth", {"w": tensor((6,), (1,))}, bytes(25))
    with pytest.raises(InputError, match="25 bytes but 24 are declared"):
        read_state_dict(path)


@pytest.mark.parametrize(
    "content", [b"RIFF....WAVE", b"\x80\x02", b"PK\x03\x04junk", b"\x80\x02]."]
)
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "a.pth"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.pth is"):
        read_state_dict(path)


def test_another_zip_archive_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(InputError, match=r"no data\.pkl"):
        read_state_dict(tmp_path / "model.keras")


def test_a_missing_and_an_empty_file_are_named(tmp_path):
    with pytest.raises(InputError, match="not a file"):
        read_state_dict(tmp_path / "none.pth")
    (tmp_path / "empty.pth").touch()
    with pytest.raises(InputError, match="is empty"):
        read_state_dict(tmp_path / "empty.pth")
