"""Manifests: paths, names, encodings, and what is refused."""

import pytest

from kerasep.errors import InputError
from kerasep.separation.archives import read_manifest


@pytest.mark.parametrize("suffix", [".txt", ".csv"])
def test_manifests(tmp_path, suffix):
    path = tmp_path / f"files{suffix}"
    first = "file\n" if suffix == ".csv" else ""
    path.write_text(f"{first}a/one.wav\n\nb/two.wav\na/one.wav\n/c/three.wav\n")
    files = read_manifest(path)
    assert [str(file) for file in files.values()] == [
        str(tmp_path / "a/one.wav"),
        str(tmp_path / "b/two.wav"),
        "/c/three.wav",
    ]
    assert list(files) == ["one", "two", "three"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("suffix", [".txt", ".csv"])
def test_manifests_with_byte_order_marks(tmp_path, suffix, encoding):
    path = tmp_path / f"files{suffix}"
    first = "file\r\n" if suffix == ".csv" else ""
    path.write_text(f"{first}\u00e9.wav\r\n\u65e5\x85\u2028.wav\r\n", encoding)
    files = read_manifest(path)
    assert list(files.values()) == [tmp_path / "\u00e9.wav", tmp_path / "\u65e5\x85\u2028.wav"]


def test_a_manifest_in_another_encoding(tmp_path):
    path = tmp_path / "files.txt"
    path.write_bytes(b"caf\xe9.wav\n")
    with pytest.raises(InputError, match="not text in UTF-8"):
        read_manifest(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("file,name\na/x.wav,\nb/x.wav,\n", "both called x, expected different names"),
        ("path\na.wav\n", "has columns path, expected file and name"),
        ("file,name\na.wav,../b\n", r"the name '../b'"),
        ("file\n", "no file to separate"),
        ("", "no file to separate"),
    ],
)
def test_bad_manifests(tmp_path, text, words):
    path = tmp_path / "files.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        read_manifest(path)


def test_a_name_for_each(tmp_path):
    path = tmp_path / "files.csv"
    path.write_text("file,name\na/x.wav,first\nb/x.wav,second\n")
    assert list(read_manifest(path)) == ["first", "second"]
