"""Text files in any Unicode encoding, and CSV tables."""

import codecs
import csv
import os
import pathlib

from kerasep.files.atomic import replacing
from kerasep.system.names import csv_cell

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins with the mark of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_text(path: str | os.PathLike) -> str:
    """Read text in UTF-8, or in the encoding of its byte order mark; line ends stay as they are."""
    content = pathlib.Path(path).read_bytes()
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    return content.decode(encoding)


def file_name(text: str) -> str:
    """Return a file name read from UTF-8 text as this process's locale spells it for `open`."""
    try:
        return os.fsdecode(text.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:  # surrogates that no file name has
        return text


def write_table(path: str | os.PathLike, rows: list) -> None:
    """Write dicts as a CSV file, completely or not at all; the first row names the columns."""
    with replacing(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writerow({name: csv_cell(name) for name in rows[0]})
        for row in rows:
            writer.writerow({name: csv_cell(value) for name, value in row.items()})
