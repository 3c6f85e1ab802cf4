"""HTML from the templates of this folder, and the packages that reports need."""

import functools
import importlib
import pathlib
from typing import Any

from kerasep.errors import installed_by
from kerasep.system.names import one_line


def check_installed() -> None:
    """Raise InputError now if a package that a report needs is missing, not after the work."""
    with installed_by("kerasep[report]"):
        for package in ("jinja2", "matplotlib"):
            importlib.import_module(package)


def render(template: str, **values: Any) -> str:
    """Return the text of a template with its values filled in."""
    return _environment().get_template(template).render(values)


def part(name: str, *values: Any) -> str:
    """Return the HTML of a macro of parts.html."""
    return getattr(_environment().get_template("parts.html").module, name)(*values)


@functools.cache
def _environment():
    with installed_by("kerasep[report]"):
        import jinja2
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(pathlib.Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_text,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _text(value):
    """Return a value as the text of a page; HTML of macros stays as it is."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.2f}"
    return value if hasattr(value, "__html__") else one_line(value)
