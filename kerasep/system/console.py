"""Print any text on any terminal."""

import codecs
import io
import sys

from rich.console import Console
from rich.text import Text

from kerasep.system.names import one_line

# Replacements for box and bar characters on terminals that are not UTF-8.
_LOOKALIKES = {
    **dict.fromkeys("─━╴╶╸╺╌", "-"),
    **dict.fromkeys("│┃╵╷╎", "|"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╰╯╞╡╪┏┓┗┛┳┡┩╇", "+"),
    **dict.fromkeys("●•", "o"),
    "…": "~",
}
_ERRORS = "kerasep.lookalike"


def print_line(console: Console, text: object) -> None:
    """Print text as one line, without markup, emoji codes, colours or line breaks."""
    console.print(one_line(text), markup=False, emoji=False, highlight=False, soft_wrap=True)


def cell(text: object) -> Text:
    """Return text for a cell of a `rich.table.Table`, without markup and emoji codes."""
    return Text(one_line(text), overflow="fold")


def print_anything() -> None:
    """Configure stdout and stderr to replace characters they cannot encode instead of failing."""
    codecs.register_error(_ERRORS, _replacement)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)


def _replacement(error):
    characters = error.object[error.start : error.end]
    escaped = (c.encode("ascii", "backslashreplace").decode() for c in characters)
    pairs = zip(characters, escaped, strict=True)
    return "".join(_LOOKALIKES.get(c, escape) for c, escape in pairs), error.end
