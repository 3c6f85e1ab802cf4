"""Weights in the format of safetensors: every type, metadata, and files with lies in them."""

import json
import pathlib
import struct

import keras
import numpy as np
import pytest

from kerasep.errors import InputError
from kerasep.importers import open_unmix
from kerasep.importers.torch_file import read_checkpoint, read_state_dict

VOCALS = pathlib.Path(__file__).parents[1] / "golden" / "open_unmix" / "vocals-0a1b2c3d.pth"
SIX = np.arange(6, dtype="<f4")
NAMES = {"f": "F", "i": "I", "u": "U", "b": "BOOL", "c": "C64"}


def write(path, entries, numbers, metadata=None):
    header = ({"__metadata__": metadata} if metadata else {}) | entries
    text = json.dumps(header).encode() if isinstance(header, dict) else header
    path.write_bytes(struct.pack("<Q", len(text)) + text + numbers)
    return path


def entry(dtype="F32", shape=(6,), offsets=(0, 24)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def save(path, state, metadata=None):
    """Write arrays as the package safetensors does."""
    entries, numbers = {}, b""
    for name, value in state.items():
        kind = NAMES[value.dtype.kind]
        dtype = f"{kind}{8 * value.itemsize}" if len(kind) == 1 else kind
        start, numbers = len(numbers), numbers + value.tobytes()
        entries[name] = entry(dtype, value.shape, (start, len(numbers)))
    return write(path, entries, numbers, metadata)


def test_tensors_of_every_type(tmp_path):
    kinds = ("f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?", "c8")
    state = {f"of {kind}": SIX.astype(kind).reshape(2, 3) for kind in kinds}
    state |= {"scalar": np.float32(3).reshape(()), "empty": np.zeros((0, 3), "f4")}
    read = read_state_dict(save(tmp_path / "a.safetensors", state))
    assert list(read) == list(state)
    for name, value in state.items():
        assert read[name].dtype == value.dtype
        np.testing.assert_array_equal(read[name], value)


def test_bfloat16_becomes_float32(tmp_path):
    halves = (SIX.view("u4") >> 16).astype("<u2").tobytes()
    path = write(tmp_path / "a.bin", {"w": entry("BF16", (3, 2), (0, 12))}, halves)
    read = read_state_dict(path)["w"]
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, SIX.reshape(3, 2))


def test_metadata_and_prefixes(tmp_path):
    about = {"format": "pt", "model_name": "ConvTasNet", "model_args": '{"n_src": 2}'}
    path = save(tmp_path / "a.safetensors", {"module.w": SIX}, about)
    contents, state = read_checkpoint(path)
    assert contents["model_name"] == "ConvTasNet"
    assert contents["model_args"] == {"n_src": 2}
    np.testing.assert_equal(state, {"w": SIX})


def test_a_folder_of_open_unmix(tmp_path):
    save(tmp_path / "vocals-0a1b2c3d.safetensors", open_unmix.weights(VOCALS))
    plain, ours = (open_unmix.build(path, 8000) for path in (VOCALS, tmp_path))
    assert ours.sources == ("vocals",)
    for one, other in zip(plain.weights, ours.weights, strict=True):
        np.testing.assert_array_equal(*map(keras.ops.convert_to_numpy, (one, other)))


def test_a_file_cut_anywhere_is_refused(tmp_path):
    path = save(tmp_path / "a.safetensors", {"w": SIX})
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"a\.safetensors"):
            read_state_dict(path)
    path.write_bytes(whole[:-1])
    with pytest.raises(InputError, match=r"cut short, with 23 of 24 bytes.*download it again"):
        read_state_dict(path)


LIES = {
    "more than its bytes": {"w": entry(shape=(7,))},
    "bytes of others": {"a": entry(), "b": entry(offsets=(0, 24))},
    "a negative offset": {"w": entry(offsets=(-24, 0))},
    "a negative size": {"w": entry(shape=(-1, -6))},
    "a huge size": {"w": entry(shape=(1 << 62, 1 << 62))},
    "a fraction": {"w": entry(shape=(1.5, 4))},
    "three offsets": {"w": entry(offsets=(0, 0, 24))},
    "offsets of text": {"w": entry(offsets=("0", "24"))},
    "a type that NumPy lacks": {"w": entry("F8_E4M3", (24,))},
    "another key": {"w": {**entry(), "device": "cuda"}},
    "no entry": {"w": 3},
}


@pytest.mark.parametrize("case", LIES)
def test_a_header_that_lies_is_refused(tmp_path, case):
    path = write(tmp_path / "a.safetensors", LIES[case], SIX.tobytes())
    with pytest.raises(InputError, match=r"a\.safetensors is not a safetensors file") as caught:
        read_state_dict(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", [b"{" * 100_000, b'{"a": ' * 100_000, b'{"__metadata__": 3}', b"{}"]
)
def test_other_headers_are_refused(tmp_path, text):
    path = tmp_path / "a.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text)
    with pytest.raises(InputError, match=r"a\.safetensors"):
        read_state_dict(path)
