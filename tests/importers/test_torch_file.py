import argparse
import collections
import io
import os
import pickle
import struct
import sys
import zipfile

import numpy as np
import pytest

from kerasep.errors import InputError
from kerasep.importers.torch_file import read_checkpoint, read_state_dict
from kerasep.importers.torch_pickle import Global, Unread

MAGIC = 0x1950A86A20F9469CFC6C


class Name:
    """Pickles as the bare global `module.name`, whether or not that can be imported."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class Call:
    """Pickles as a call of a global, as an attacker or PyTorch itself would write it."""

    def __init__(self, function, *arguments, state=None):
        self.function, self.arguments, self.state = function, arguments, state


class Saved(tuple):
    """Pickles as a persistent id."""


class Pickler(pickle._Pickler):
    """Writes Names without importing what they name; the C pickler would insist on importing."""

    def persistent_id(self, item):
        return tuple(item) if isinstance(item, Saved) else None

    def save(self, item, *args, **kwargs):
        if isinstance(item, Name):
            self.write(pickle.GLOBAL + f"{item.module}\n{item.name}\n".encode())
        elif isinstance(item, Call):
            self.save(item.function)
            self.save(tuple(item.arguments))
            self.write(pickle.REDUCE)
            if item.state is not None:
                self.save(item.state)
                self.write(pickle.BUILD)
        else:
            super().save(item, *args, **kwargs)


FLOATS = Name("torch", "FloatStorage")
REBUILD = Name("torch._utils", "_rebuild_tensor_v2")
ORDERED = Name("collections", "OrderedDict")


def pickled(item, protocol=2):
    file = io.BytesIO()
    Pickler(file, protocol).dump(item)
    return file.getvalue()


def tensor(size, stride, offset=0, numel=6, kind=FLOATS, view=()):
    storage = Saved(("storage", kind, "0", "cpu", numel, *view))
    return Call(REBUILD, storage, offset, size, stride, False, Call(ORDERED))


def write_zip(path, item, numbers=b"", byteorder="little", compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("vocals/data.pkl", pickled(item))
        archive.writestr("vocals/byteorder", byteorder)
        archive.writestr("vocals/data/0", numbers)
    return path


def write_legacy(path, item, numbers=b"", count=6, keys=("0",)):
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}
    contents = b"".join(pickled(each) for each in (MAGIC, 1001, system, item, list(keys)))
    path.write_bytes(contents + struct.pack("<q", count) + numbers)
    return path


WRITERS = pytest.mark.parametrize("write", [write_zip, write_legacy])
SIX = np.arange(6, dtype="<f4")


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


HOSTILE = {
    "os.system": (Call(Name("os", "system"), "touch hit"), "'os.system'"),
    "builtins.eval": (Call(Name("builtins", "eval"), "open('hit', 'w')"), "'builtins.eval'"),
    "a call of a storage class": (Call(FLOATS, 3), "calls torch.FloatStorage"),
    "a call of a string": (Call("print", 3), "calls str"),
    "attributes of a dict": (Call(ORDERED, state={"items": 3}), "sets attributes"),
    "attributes of a function": (Call(REBUILD, state={"__code__": 1}), "calls torch._utils"),
    "attributes of a tensor": (
        Call(Name("torch._utils", "_rebuild_parameter"), 3, state={"storage": 1}),
        "sets attributes",
    ),
    "keys that are not names": ({("w",): 3}, "plain dict"),
    "a set": ({1, 2}, "set"),
    "a module as persistent id": (Saved(("module", "os", "x", "y")), "storage"),
    "arguments that do not fit": ({"w": Call(REBUILD, 1, 2)}, "do not fit"),
    "a storage of another kind": ({"w": Call(REBUILD, "x", 0, (1,), (1,))}, "do not fit"),
    "two storages in one": (
        [tensor((6,), (1,)), tensor((3,), (1,), kind=Name("torch", "DoubleStorage"))],
        "two ways",
    ),
    "no tensors": ({"epoch": 1}, "no named tensors"),
    "a list": ([1, 2], "no named tensors"),
}


@WRITERS
@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_or_foreign_pickle_is_refused(tmp_path, monkeypatch, write, case):
    monkeypatch.chdir(tmp_path)
    item, expected = HOSTILE[case]
    with pytest.raises(InputError, match="not a PyTorch file of weights") as caught:
        read_state_dict(write(tmp_path / "a.pth", item, SIX.tobytes()))
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == ["a.pth"], "the file's code ran"


DEMUCS = Name("demucs.model", "Demucs")
NAMESPACE = Name("argparse", "Namespace")


@WRITERS
def test_settings_beside_the_weights_are_stand_ins(tmp_path, write):
    """A class is a name, an object is a mark, and what they were made of is gone."""
    module = Saved(("module", DEMUCS, "model.py", "class Demucs: pass"))
    package = {
        "klass": module if write is write_legacy else DEMUCS,
        "kwargs": {"depth": 3, "growth": 2.0, "sources": ["a", "b"]},
        "state": {"w": tensor((6,), (1,))},
        "training_args": Call(
            NAMESPACE, state={"out": Call(Name("pathlib", "PosixPath"), "/", "hit")}
        ),
    }
    contents, state = read_checkpoint(write(tmp_path / "a.th", package, SIX.tobytes()))
    np.testing.assert_array_equal(state["w"], SIX)
    assert contents["klass"] == Global("demucs.model.Demucs")
    assert contents["kwargs"] == {"depth": 3, "growth": 2.0, "sources": ["a", "b"]}
    assert contents["training_args"] == Unread("argparse.Namespace")


@pytest.mark.parametrize("protocol", range(2, 6))
def test_objects_of_the_pickle_module_are_marks(tmp_path, protocol):
    path = tmp_path / "a.th"
    saved = {"arguments": argparse.Namespace(lr=3e-4, musdb=None), "epoch": 3}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", pickle.dumps(saved, protocol))
    contents, state = read_checkpoint(path)
    assert contents == {"arguments": Unread("argparse.Namespace"), "epoch": 3}
    assert state == {}


@WRITERS
@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (Call(DEMUCS, 4), "calls demucs.model.Demucs"),
        (Call(Name("demucs.model", "BLSTM"), 4), "'demucs.model.BLSTM'"),
        (Call(DEMUCS, state={"forward": 3}), "calls demucs.model.Demucs"),
        (Call(Call(NAMESPACE), 3), "calls Unread"),
        (Saved(("module", Name("os", "system"), "x", "y")), "'os.system'"),
        (Saved(("module", NAMESPACE, "x", "y")), "not a tensor's storage"),
        ({"w": Call(REBUILD, Call(NAMESPACE), 0, (1,), (1,))}, "do not fit"),
    ],
)
def test_stand_ins_do_nothing_else(tmp_path, monkeypatch, write, item, expected):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="not a PyTorch file of weights") as caught:
        read_checkpoint(write(tmp_path / "a.th", item, SIX.tobytes()))
    assert expected in str(caught.value)
    assert os.listdir(tmp_path) == ["a.th"], "the file's code ran"


STFT = Name("nussl.core.audio_signal", "STFTParams")
COMPOSE = Name("nussl.datasets.transforms", "Compose")


@WRITERS
def test_what_nussl_saves_beside_the_weights_is_dropped(tmp_path, write):
    """Its own objects, and numbers of NumPy: stand-ins that hold nothing, and nothing imported."""
    about = {
        "stft_params": Call(STFT, 256, 64, "sqrt_hann"),
        "transforms": Call(COMPOSE, state={"transforms": [1]}),
        "score": Call(Name("numpy.core.multiarray", "scalar"), Name("numpy", "dtype"), "8 bytes"),
    }
    item = {"state_dict": {"w": tensor((6,), (1,))}, "metadata": about}
    contents, state = read_checkpoint(write(tmp_path / "a.pth", item, SIX.tobytes()))
    assert list(state) == ["w"]
    assert contents["metadata"]["stft_params"] == (256, 64, "sqrt_hann")
    assert contents["metadata"]["transforms"] == Unread("nussl.datasets.transforms.Compose")
    assert "nussl" not in sys.modules


@WRITERS
@pytest.mark.parametrize(
    "item",
    [
        Call(Name("nussl", "AudioSignal"), "hit"),
        Call(Name("nussl.core.audio_signal", "AudioSignal"), "hit"),
        Call(Name("nussl.datasets.transforms", "Compose.__init__.__globals__"), "os"),
        {"w": Call(REBUILD, Call(COMPOSE), 0, (1,), (1,))},
        {"w": Call(REBUILD, Call(STFT, 1, 2, "x"), 0, (1,), (1,))},
        Call(Call(COMPOSE), "touch hit"),
        Call(STFT, state={"__class__": 1}),
    ],
)
def test_other_names_of_nussl_and_misused_ones_are_refused(tmp_path, monkeypatch, write, item):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"a\.pth"):
        read_state_dict(write(tmp_path / "a.pth", item, SIX.tobytes()))
    assert os.listdir(tmp_path) == ["a.pth"], "the file's code ran"


class Attack:
    def __reduce__(self):
        return os.system, ("touch hit",)


@pytest.mark.parametrize("protocol", range(6))
def test_what_the_pickle_module_writes_is_never_run(tmp_path, monkeypatch, protocol):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", pickle.dumps({"w": Attack()}, protocol))
    with pytest.raises(InputError):
        read_state_dict(path)
    path.write_bytes(pickle.dumps(Attack(), protocol))
    with pytest.raises(InputError):
        read_state_dict(path)
    assert os.listdir(tmp_path) == ["a.pth"], "the file's code ran"


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
    with pytest.raises(InputError, match="25 bytes where 24 are declared"):
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
