"""The tour of the code: its table and its drawing have every room, in the order of imports."""

import ast
import pathlib
import re

import pytest

from tests.test_imports import WHEN_CALLED

ROOT = pathlib.Path(__file__).parents[2]
PACKAGE = ROOT / "kerasep"
PAGE = (ROOT / "docs/guide/how_it_is_built.md").read_text("utf-8")
DRAWING = (ROOT / "docs/figures/rooms.py").read_text("utf-8")
ROOMS = {
    path.stem
    for path in PACKAGE.iterdir()
    if (path / "__init__.py").exists() or (path.suffix == ".py" and path.stem[0] != "_")
}


def rows():
    """Number of the drawing's row, from the top, for each room."""
    [value] = re.findall(r"^ROWS = (\(.*?^\))", DRAWING, re.MULTILINE | re.DOTALL)
    return {room: row for row, rooms in enumerate(ast.literal_eval(value)) for room in rooms}


def imported(room):
    """Rooms that the files of a room import."""
    path = PACKAGE / room
    for file in path.rglob("*.py") if path.is_dir() else [path.with_suffix(".py")]:
        names = re.findall(r"^\s*(?:from|import) kerasep\.(\w+)", file.read_text("utf-8"), re.M)
        lists = re.findall(r"^\s*from kerasep import ([\w, ]+)", file.read_text("utf-8"), re.M)
        names += [name.strip() for text in lists for name in text.split(",")]
        place = file.relative_to(PACKAGE).as_posix()
        yield from (name for name in names if (place, name) not in WHEN_CALLED)


def test_the_table_has_every_room():
    assert {*re.findall(r"^\| .*`kerasep/(\w+)", PAGE, re.M)} <= ROOMS
    assert {*re.findall(r"`kerasep/(\w+)(?:/|\.py)`", PAGE)} >= ROOMS


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_the_drawing_has_the_order_of_imports(room):
    row = rows()
    for other in {*imported(room)} & ROOMS - {room}:
        assert row[other] > row[room], f"{room} imports {other}"
