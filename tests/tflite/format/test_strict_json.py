"""JSON that all readers read alike: the same cases as for the C code, the web page and Kotlin."""

import json
import pathlib

import pytest

from kerasep.tflite.format.strict_json import load

CASES = json.loads((pathlib.Path(__file__).parents[1] / "metadata_cases.json").read_text())


@pytest.mark.parametrize("case", CASES["refused_texts"])
def test_texts_that_are_not_strict_json_are_refused(case):
    text = CASES["refused_texts"][case].replace("@", '"format": 2')
    if case in ("a list", "a number"):  # which are JSON, but no metadata
        assert not isinstance(load(text.encode()), dict)
        return
    with pytest.raises(ValueError, match=r"."):
        load(text.encode())


@pytest.mark.parametrize("case", CASES["accepted_texts"])
def test_texts_that_are_strict_json_are_read(case):
    assert load(CASES["accepted_texts"][case].replace("@", '"format": 2').encode())["format"] == 2


def test_bytes_that_are_not_utf8_and_texts_without_end_are_refused():
    for data in (b'{"a": "\xff"}', b'{"a": "\xed\xa0\x80"}', '{"a": 1}'.encode("utf-16")):
        with pytest.raises(ValueError, match=r"."):
            load(data)
    with pytest.raises(ValueError, match="at most 1048576"):
        load(b" " * 2**20 + b"{}")
    with pytest.raises(ValueError, match="levels"):
        load(b"[" * 10**6)
    with pytest.raises(ValueError, match="5001 letters"):
        load(b'{"a": 1' + b"0" * 5000 + b"}")
