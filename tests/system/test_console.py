"""Printing on terminals with few characters, and text that looks like markup."""

import io
import sys

import pytest
from rich.console import Console
from rich.table import Table

from kerasep.system.console import cell, print_anything, print_line


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("name", ["[bold]x[/bold]", ":star:", "[/]", "x" * 200, "\x1b[31m\n", "\r"])
def test_a_line_is_what_it_is(name, terminal):
    file = io.StringIO()
    print_line(Console(file=file, force_terminal=terminal, width=80), name)
    expected = name.replace("\x1b", r"\x1b").replace("\n", r"\n").replace("\r", r"\r")
    assert file.getvalue() == f"{expected}\n"


def test_a_cell_is_what_it_is():
    file, table = io.StringIO(), Table("name")
    for name in ("[bold]x[/bold]", ":star:", "\x1b[31m\n"):
        table.add_row(cell(name))
    Console(file=file, width=80).print(table)
    for name in ("[bold]x[/bold]", ":star:", r"\x1b[31m\n"):
        assert f" {name} " in file.getvalue()
    assert "\x1b" not in file.getvalue()


@pytest.mark.parametrize(
    ("encoding", "printed"),
    [
        ("ascii", r"|+o~ \xe9 \u65e5 \udce9"),
        ("cp1252", r"|+o… é \u65e5 \udce9"),
        ("utf-8", r"│├●… é 日 \udce9"),
    ],
)
def test_terminals_that_lack_characters(monkeypatch, encoding, printed):
    streams = [io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2)]
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])
    print_anything()
    for stream in streams:
        stream.write("│├●… é 日 \udce9")
        stream.flush()
        assert stream.buffer.getvalue().decode(encoding) == printed


def test_what_is_no_text_stream_is_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    print_anything()
