"""Names of files, tracks and sources as safe text for terminals, pages, pictures and tables."""

import os
import re
import unicodedata

_BYTES = re.compile("[\udc80-\udcff]+")
# Control, format and surrogate characters, and separators of lines and paragraphs.
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"  # format characters that Persian, Hindi and emoji need
_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")  # the last four are full-width forms


def one_line(text: object) -> str:
    r"""Return text as one line: invisible characters and undecodable bytes as escapes like `\n`."""
    text = str(text)
    if text.isascii() and text.isprintable():
        return text
    text = _BYTES.sub(_decode, text)
    return "".join(
        character
        if unicodedata.category(character) not in _HIDDEN or character in _JOINERS
        else character.encode("unicode_escape").decode()
        for character in text
    )


def _decode(surrogates):
    # Under an ASCII locale Python holds valid UTF-8 as surrogates, too.
    return surrogates[0].encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def picture_text(text: object) -> str:
    """Return text for matplotlib, which reads text between dollar signs as mathematics."""
    return one_line(text).replace("$", r"\$")


def csv_cell(value: object) -> object:
    """Return a value for a CSV table; text that spreadsheets would run as a formula is quoted."""
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
