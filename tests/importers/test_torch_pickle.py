"""Pickles are data: nothing in them is imported, called or allowed to take memory or time."""

import argparse
import io
import os
import pickle
import sys
import zipfile

import numpy as np
import pytest

from kerasep.errors import InputError
from kerasep.importers import torch_pickle
from kerasep.importers.torch_file import read_checkpoint, read_state_dict
from kerasep.importers.torch_pickle import Global, Unread
from kerasep.system import memory
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
)

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


VERSION = Call(Name("torch.torch_version", "TorchVersion"), "2.0")


@pytest.mark.parametrize("operation", [pickle.APPEND, pickle.SETITEM])
def test_a_stand_in_is_no_container(operation):
    version, item = pickled(VERSION)[2:-1], pickled(1)[2:-1]
    content = b"\x80\x02" + version + item + item + operation + pickle.STOP
    with pytest.raises(ValueError, match=r"append|sets"):
        torch_pickle.read(io.BytesIO(content))


def nested(depth):
    """A tuple in a tuple, and so on: hash() of it would end the process."""
    return pickle.EMPTY_TUPLE + depth * pickle.TUPLE1


def laughs(depth):
    """Pairs of one pair: hash() of it would take until the end of time."""
    pairs = b"".join(
        pickle.BINPUT + bytes([at]) + pickle.BINGET + bytes([at]) + pickle.TUPLE2
        for at in range(depth)
    )
    return pickle.EMPTY_TUPLE + pairs


ATTACKS = {
    "a large memo": pickle.EMPTY_DICT + pickle.LONG_BINPUT + b"\xff\xff\xff\xff",
    "a key that is deep": pickle.EMPTY_DICT + nested(200_000) + pickle.NONE + pickle.SETITEM,
    "a key that is wide": pickle.EMPTY_DICT + laughs(100) + pickle.NONE + pickle.SETITEM,
    "keys that are wide": pickle.EMPTY_DICT + b"(" + laughs(100) + pickle.NONE + pickle.SETITEMS,
    "an item without a key": pickle.EMPTY_DICT + b"(" + pickle.NONE + pickle.SETITEMS,
    "a long array": pickle.BYTEARRAY8 + (1 << 40).to_bytes(8, "little"),
    "a long text": pickle.BINUNICODE + b"\xff\xff\xff\x7fa",
    "a long frame": pickle.FRAME + (1 << 62).to_bytes(8, "little"),
    "an endless frame": pickle.FRAME + b"\xff" * 8,
    "a registered extension": pickle.EXT1 + b"\x01",
    "a class": pickle.MARK + pickle.INST + b"os\nsystem\n",
    "a text in Python": pickle.STRING + b"'x'\n",
    "slots": pickle.EMPTY_DICT + pickle.NONE + pickle.EMPTY_DICT + pickle.TUPLE2 + pickle.BUILD,
    "slots of a name": b"ctorch\nFloatStorage\n" + nested(2) + pickle.BUILD,
    "a call of nothing": pickle.EMPTY_TUPLE + pickle.REDUCE,
    "no such operation": b"\xff",
    "another protocol": pickle.PROTO + b"\xff",
}


@pytest.mark.parametrize("case", ATTACKS)
def test_pickles_that_want_memory_time_or_code(tmp_path, case):
    before, path = memory.peak(), tmp_path / "a.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02" + ATTACKS[case] + pickle.STOP)
    with pytest.raises(InputError, match=r"a\.pth is not a PyTorch file") as caught:
        read_state_dict(path)
    assert len(str(caught.value)) < 500
    assert memory.peak() - before < 300 << 20


def test_stand_ins_are_never_made(monkeypatch):
    """Not imported, called or given a state, whatever they are called with."""

    def called(*args, **kwargs):
        raise AssertionError("called")

    monkeypatch.setattr(np, "dtype", called)
    monkeypatch.setattr("codecs.encode", called)
    monkeypatch.setattr("builtins.__import__", called)
    names = [("_codecs", "encode"), ("numpy", "dtype"), ("numpy.core.multiarray", "scalar")]
    made = [
        torch_pickle.read(io.BytesIO(pickled(Call(Name(*name), "x", "idna", state={"a": 1}))))
        for name in names
    ]
    monkeypatch.undo()
    assert [found for found, _ in made] == [Unread(".".join(name)) for name in names]
