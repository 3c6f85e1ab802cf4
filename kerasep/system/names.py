"""Names of files, tracks and sources as text: on a line, in a page, in a picture, in a table."""

import html
import os
import re
import unicodedata

_BYTES = re.compile("[\udc80-\udcff]+")
# Control, format and surrogate characters, and separators of lines and paragraphs.
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"  # format characters that Persian, Hindi and emoji are spelt with
_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")  # the last four are full-width forms


def one_line(text: object) -> str:
    r"""Return text as one line of visible characters.

    Control characters (line feeds and escape sequences of terminals among them), bidirectional
    overrides and other invisible characters become backslash escapes. Bytes of file names that are
    not UTF-8, which Python has as lone surrogates, become `\xff`.

    Args:
        text: a string, a path, or anything that `str` takes.

    Returns:
        A string that every UTF-8 file can hold. Applied again, it stays the same.

    Example:
    >>> one_line("caf\udce9\n\x1b[31m")
    'caf\\xe9\\n\\x1b[31m'
    """
    text = str(text)
    if text.isascii() and text.isprintable():
        return text
    text = _BYTES.sub(_decoded, text)
    return "".join(
        character
        if unicodedata.category(character) not in _HIDDEN or character in _JOINERS
        else character.encode("unicode_escape").decode()
        for character in text
    )


def _decoded(surrogates):
    # What is UTF-8 after all was read by a process whose locale is ASCII.
    return surrogates[0].encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def html_text(text: object) -> str:
    """Return text for a page of HTML, also within quoted attributes.

    Args:
        text: as for `one_line`.

    Returns:
        HTML.

    Example:
    >>> html_text("<script>")
    '&lt;script&gt;'
    """
    return html.escape(one_line(text))


def picture_text(text: object) -> str:
    r"""Return text for matplotlib, which takes what is between dollar signs for mathematics.

    Args:
        text: as for `one_line`.

    Returns:
        A string for titles, labels and legends.

    Example:
    >>> picture_text("$x$")
    '\\$x\\$'
    """
    return one_line(text).replace("$", r"\$")


def csv_cell(value: object) -> object:
    """Return a value for a cell of a table, in which spreadsheets find no formula.

    Args:
        value: text or a path; anything else, such as a number, stays as it is.

    Returns:
        Text in one line, behind an apostrophe where it begins with `=`, `+`, `-` or `@` and is not
        a number; or the value.

    Example:
    >>> csv_cell("=1+1"), csv_cell("-3.2"), csv_cell(-3.2)
    ("'=1+1", '-3.2', -3.2)
    """
    if not isinstance(value, str | os.PathLike):
        return value
    text = one_line(value)
    return f"'{text}" if text.startswith(_FORMULA) and not _is_number(text) else text


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True
