"""Text files with byte order marks, and tables written completely or not at all."""

import csv
import os
import pathlib
import subprocess
import sys

import pytest

import kerasep
from kerasep.errors import InputError
from kerasep.files.text_files import read_text, write_table

TEXT = "é,日本語\r\n😀\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-32-be"]
)
def test_byte_order_marks(tmp_path, encoding):
    mark = "\ufeff" if encoding[-2:] in ("le", "be") else ""
    (tmp_path / "list").write_bytes((mark + TEXT).encode(encoding))
    assert read_text(tmp_path / "list") == TEXT


@pytest.mark.parametrize("content", [b"caf\xe9", b"\xff\xfea", b"\xef\xbb\xbf\xe9"])
def test_other_encodings(tmp_path, content):
    (tmp_path / "list").write_bytes(content)
    with pytest.raises(UnicodeDecodeError):
        read_text(tmp_path / "list")


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_files_that_a_list_names_are_found_in_any_locale(tmp_path, locale):
    (tmp_path / "é.wav").touch()
    (tmp_path / "list").write_text("é.wav", "utf-8")
    script = (
        "import os; from kerasep.files.text_files import file_name, read_text; "
        "assert os.path.exists(file_name(read_text('list')))"
    )
    settings = {"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    root = str(pathlib.Path(kerasep.__file__).parents[1])
    environment = {**os.environ, **settings, "PYTHONPATH": root}
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, check=True)


def test_a_table(tmp_path):
    rows = [
        {"track": "=a\udce9", "path": pathlib.Path("-b"), "dB": -3.2, "+x": None},
        {"track": 'with "quotes", and\nlines', "path": "c", "dB": "-inf"},
    ]
    write_table(tmp_path / "table.csv", rows)
    with open(tmp_path / "table.csv", newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [
            ["track", "path", "dB", "'+x"],
            ["'=a\\xe9", "'-b", "-3.2", ""],
            ['with "quotes", and\\nlines', "c", "-inf", ""],
        ]


def test_a_table_is_written_whole_or_not_at_all(tmp_path):
    write_table(tmp_path / "table.csv", [{"a": 1}])

    class Broken(list):
        def __iter__(self):
            yield self[0]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_table(tmp_path / "table.csv", Broken([{"a": 2}]))
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]
    assert (tmp_path / "table.csv").read_text() == "a\n1\n"
    with pytest.raises(InputError, match="cannot write"):
        write_table(tmp_path / "missing" / "table.csv", [{"a": 1}])
