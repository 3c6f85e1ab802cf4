"""Text on the terminal as it is, whatever names it holds and whatever the terminal can print."""

import codecs
import io
import sys

from rich.text import Text

from kerasep.system.names import one_line

# For terminals that are not UTF-8: what stands for the characters of boxes, bars and drawings.
_LOOKALIKES = {
    **dict.fromkeys("─━╴╶╸╺╌", "-"),
    **dict.fromkeys("│┃╵╷╎", "|"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╰╯╞╡╪┏┓┗┛┡┩╇", "+"),
    **dict.fromkeys("●•", "o"),
    "…": "~",
}
_ERRORS = "kerasep.lookalike"


def print_line(console, text):
    r"""Print text as one line, without markup, emoji codes, colours or line breaks.

    Args:
        console: a `rich.console.Console`.
        text: as for `kerasep.system.names.one_line`.

    Example:
    >>> from rich.console import Console
    >>> print_line(Console(), "[bold]a:star:\n")
    [bold]a:star:\n
    """
    console.print(one_line(text), markup=False, emoji=False, highlight=False, soft_wrap=True)


def cell(text):
    """Return text for a cell of a `rich.table.Table`, without markup and emoji codes.

    Args:
        text: as for `kerasep.system.names.one_line`.

    Returns:
        A `rich.text.Text`.

    Example:
    >>> cell("[bold]").plain
    '[bold]'
    """
    return Text(one_line(text), overflow="fold")


def print_anything():
    """Configure standard output and error to replace the characters that they cannot print.

    Lines and dots by characters that look alike, others by backslash escapes.
    """
    codecs.register_error(_ERRORS, _replaced)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)


def _replaced(error):
    characters = error.object[error.start : error.end]
    return "".join(_LOOKALIKES.get(c) or _escaped(c) for c in characters), error.end


def _escaped(character):
    return character.encode("ascii", "backslashreplace").decode()
