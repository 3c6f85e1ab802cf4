"""The reference has a page for every public name, and only for those."""

import importlib
import inspect
import pathlib
import re
import types

import pytest

import kerasep

PAGES = sorted(pathlib.Path(__file__).parents[2].glob("docs/reference/*.md"))
# The build writes the page of the command line.
ROOMS = sorted({*dir(kerasep)} - {"cli", "Separator", "separate", "system", "files"})


def listed():
    """Yield the names in autosummary directives, such as kerasep.layers.STFT."""
    for page in PAGES:
        module = None
        for block in re.findall(r"```\{eval-rst\}\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
            current = re.search(r"^\.\. currentmodule:: (.+)$", block, re.MULTILINE)
            module = current.group(1) if current else module
            for name in re.findall(r"^   (\w[\w.]*)$", block, re.MULTILINE):
                yield f"{module}.{name}"
            for name in re.findall(r"^\.\. automodule:: (.+)$", block, re.MULTILINE):
                yield from (f"{name}.{member}" for member in importlib.import_module(name).__all__)


LISTED = [*listed()]


def find(name):
    """Return the object with a dotted name."""
    parts = name.split(".")
    value = importlib.import_module(parts[0])
    for end, part in enumerate(parts[1:], 2):
        try:
            value = getattr(value, part)
        except AttributeError:
            value = importlib.import_module(".".join(parts[:end]))
    return value


def public(module):
    """Return the public names of a module with their values."""
    names = getattr(module, "__all__", None) or [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]
    return {name: getattr(module, name) for name in names}


def same(one, other):
    if inspect.isclass(one) or inspect.isfunction(one):
        return one is other
    return one is other and not isinstance(one, str | int | float)


def test_no_name_is_listed_twice():
    assert len(LISTED) == len(set(LISTED))


@pytest.mark.parametrize("name", LISTED)
def test_listed_name_exists(name):
    find(name)


@pytest.mark.parametrize("room", ROOMS)
def test_public_names_are_listed(room):
    listed_values = [find(name) for name in LISTED]
    missing = [
        name
        for name, value in public(importlib.import_module(f"kerasep.{room}")).items()
        if not isinstance(value, types.ModuleType)
        and f"kerasep.{room}.{name}" not in LISTED
        and not any(same(value, other) for other in listed_values)
    ]
    assert not missing, f"kerasep.{room}: add {', '.join(missing)} to a page of docs/reference"
