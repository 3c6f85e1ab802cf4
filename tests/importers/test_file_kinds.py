"""Downloads that went wrong and files of other kinds are named in one line."""

import zipfile

import pytest

from kerasep.errors import InputError
from kerasep.importers import file_kinds, tf_checkpoint
from kerasep.importers.torch_file import read_state_dict
from tests.importers.torch_writer import SIX, tensor, write_zip

KINDS = {
    "Git LFS pointer.*git lfs pull": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a",
    "web page.*download it again": b"\n<!doctype html>\n<html><title>404</title>",
    "web page, expected": b"\xef\xbb\xbf<HTML lang='en'>",
    "server's error message": b"Entry not found",
    "ONNX file": b"\x08\x07\x12\x07pytorch",
    "HDF5 file": b"\x89HDF\r\n\x1a\n\0\0",
    ".tflite file": b"\x1c\0\0\0TFL3\x14\0",
    "compressed archive.*unpack": b"\x1f\x8b\x08\0\0\0",
}


@pytest.mark.parametrize("expected", KINDS)
def test_a_file_of_another_kind_is_named(tmp_path, expected):
    path = tmp_path / "vocals.pth"
    path.write_bytes(KINDS[expected])
    with pytest.raises(InputError, match=rf"vocals\.pth is an? {expected}") as caught:
        read_state_dict(path)
    assert "\n" not in str(caught.value)


def test_an_onnx_file_is_one_where_it_is_expected(tmp_path):
    path = tmp_path / "vocals.onnx"
    path.write_bytes(KINDS["ONNX file"])
    file_kinds.check(path, onnx=True)
    assert file_kinds.is_onnx(path)
    path.write_bytes(KINDS["HDF5 file"])
    assert not file_kinds.is_onnx(path)
    with pytest.raises(InputError, match="HDF5"):
        file_kinds.check(path, onnx=True)


def test_a_torchscript_program_is_named(tmp_path):
    path = write_zip(tmp_path / "a.pt", {"w": tensor((6,), (1,))}, SIX.tobytes())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("vocals/constants.pkl", b"\x80\x02).")
        archive.writestr("vocals/code/__torch__.py", "class Net(Module): pass")
    with pytest.raises(InputError, match=r"TorchScript program.*torch\.jit\.load"):
        read_state_dict(path)


def test_files_that_are_cut_short_are_to_be_downloaded_again(tmp_path):
    path = write_zip(tmp_path / "a.pth", {"w": tensor((6,), (1,))}, SIX.tobytes())
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InputError, match=r"cut short.*download it again"):
        read_state_dict(path)
    path.write_bytes(b"\x80\x02")
    with pytest.raises(InputError, match=r"cut short.*download it again"):
        read_state_dict(path)


@pytest.mark.parametrize("name", ["model.index", "model.data-00000-of-00001"])
def test_a_pointer_in_place_of_a_tensorflow_checkpoint(tmp_path, name):
    (tmp_path / "model.index").write_bytes(b"\x57\xfb\x80\x8b\x24\x75\x47\xdb")
    (tmp_path / name).write_bytes(KINDS["Git LFS pointer.*git lfs pull"])
    with pytest.raises(InputError, match="Git LFS pointer"):
        tf_checkpoint.read(tmp_path)
