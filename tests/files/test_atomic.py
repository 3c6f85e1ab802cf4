import os
import pathlib

import pytest

from kerasep.errors import InputError
from kerasep.files.atomic import remove_partial, replacing


def test_a_file_appears_when_it_is_complete(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_after_an_error_all_is_as_it_was(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write():
        with replacing(path) as temporary:
            temporary.write_text("new")
            raise error

    with pytest.raises(error):
        write()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_folders(tmp_path):
    with replacing(tmp_path / "songs") as temporary:
        (temporary / "inside").mkdir(parents=True)
        (temporary / "inside" / "a.wav").write_bytes(b"1")
    assert (tmp_path / "songs" / "inside" / "a.wav").read_bytes() == b"1"
    with (
        pytest.raises(InputError, match=r"cannot write .*songs"),
        replacing(tmp_path / "songs") as t,
    ):
        t.mkdir()
    assert os.listdir(tmp_path) == ["songs"]


def test_a_folder_that_is_not_there(tmp_path):
    with (
        pytest.raises(InputError, match=r"cannot write .*a\.txt: No such file"),
        replacing(tmp_path / "missing" / "a.txt") as temporary,
    ):
        temporary.write_text("new")


def test_errors_without_a_number(tmp_path):
    with pytest.raises(InputError, match=r"cannot write .*: no space"), replacing(tmp_path / "a"):
        raise OSError("no space")


def test_leftovers_are_removed(tmp_path):
    (tmp_path / ".a.txt.1.partial").write_text("")
    (tmp_path / ".b.2.partial").mkdir()
    pathlib.Path(tmp_path / "kept.partial").write_text("")
    remove_partial(tmp_path)
    assert os.listdir(tmp_path) == ["kept.partial"]
