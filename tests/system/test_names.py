"""Names as safe text for terminals, pages, pictures and tables."""

import csv
import io
import logging
import pickle

import pytest

from kerasep.errors import InputError
from kerasep.system import logs
from kerasep.system.names import csv_cell, one_line, picture_text

HOSTILE = {
    "plain.wav": "plain.wav",
    "日本語 é 😀": "日本語 é 😀",
    "می‌خواهم 👩‍🎤": "می‌خواهم 👩‍🎤",  # with the joiners that they are spelt with
    "a\\b": "a\\b",
    "a\nb\r\tc": r"a\nb\r\tc",
    "a\x0bb\x0cc\x1cd\x85e\u2028f\u2029g": r"a\x0bb\x0cc\x1cd\x85e\u2028f\u2029g",
    "\x1b[31mred\x1b]0;title\x07": r"\x1b[31mred\x1b]0;title\x07",
    "\x9b31m\x00\x7f": r"\x9b31m\x00\x7f",
    "abc\u202egpj.wav\u2066\u200f": r"abc\u202egpj.wav\u2066\u200f",
    "a\u200bb\ufeffc\xad": r"a\u200bb\ufeffc\xad",
    "caf\udce9": r"caf\xe9",
    "caf\udcc3\udca9": "café",  # UTF-8 that a process with the locale C read
    "\ud800\udbff": r"\ud800\udbff",
}


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_one_line(name):
    text = one_line(name)
    assert text == HOSTILE[name]
    assert text.splitlines() == [text]
    text.encode("utf-8")
    assert one_line(text) == text


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_an_error_is_one_line(name):
    error = InputError(f"received {name}")
    assert str(error) == f"received {HOSTILE[name]}"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_every_logged_line_can_be_written(tmp_path):
    handler = logging.FileHandler(tmp_path / "log", encoding="utf-8")
    log = logs.logger("kerasep.test")
    assert logs.logger("kerasep.test").filters == log.filters
    log.addHandler(handler)
    try:
        log.warning("skipped %s (%d%%)", "caf\udce9\n\x1b[31m", 5)
    finally:
        log.removeHandler(handler)
        handler.close()
    assert (tmp_path / "log").read_text("utf-8") == "skipped caf\\xe9\\n\\x1b[31m (5%)\n"


@pytest.mark.parametrize("name", ["$\\frac{$", "$x$", "\\$x$ $", "a_b^2", "cost: $5", "\udce9\n"])
def test_in_a_picture(name):
    from matplotlib.figure import Figure

    figure = Figure()
    text = figure.text(0.5, 0.5, picture_text(name))
    assert text._preprocess_math(text.get_text()) == (one_line(name), False)
    figure.savefig(io.BytesIO(), format="png")


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-x", "'-x"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("\t=1", r"\t=1"),
        ("\r=1", r"\r=1"),
        ("\n=1", r"\n=1"),
        ("-3.2", "-3.2"),
        ("-inf", "-inf"),
        ("+1e-5", "+1e-5"),
        ("a=1", "a=1"),
        ("", ""),
        (-3.2, "-3.2"),
        (None, ""),
    ],
    ids=ascii,
)
def test_in_a_table(value, cell):
    file = io.StringIO()
    csv.writer(file).writerow([csv_cell(value), "end"])
    assert next(csv.reader(io.StringIO(file.getvalue()))) == [cell, "end"]
