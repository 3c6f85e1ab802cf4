"""Text files of others, read as their editors write them; and tables of ours."""

import codecs
import csv
import os
import pathlib

from kerasep.errors import InputError
from kerasep.system.names import csv_cell

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins with the mark of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_text(path: str | os.PathLike) -> str:
    """Read a text file in UTF-8, or in the encoding that its byte order mark names.

    Args:
        path: the file.

    Returns:
        Its text, without the mark. Line ends stay as they are.

    Raises:
        UnicodeDecodeError: for a file in another encoding.
        OSError: for a file that cannot be read.

    Example:
    ```python
    import pathlib
    from kerasep.files.text_files import read_text

    pathlib.Path("list.txt").write_text("vocals.wav", "utf-16")  # as Windows writes it
    assert read_text("list.txt") == "vocals.wav"
    ```
    """
    content = pathlib.Path(path).read_bytes()
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    return content.decode(encoding)


def file_name(text: str) -> str:
    """Return the name of a file, as this process spells it, that a text in UTF-8 mentions.

    They differ where the locale is ASCII: Python then has other bytes in names as surrogates.

    Args:
        text: the name in the text.

    Returns:
        The name for `open`.

    Example:
    >>> file_name("vocals.wav")
    'vocals.wav'
    """
    try:
        return os.fsdecode(text.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:  # other surrogates, which are in no file's name
        return text


def write_table(path: str | os.PathLike, rows: list) -> None:
    """Write dicts as the lines of a CSV file in UTF-8, completely or not at all.

    Args:
        path: the file, replaced if it exists.
        rows: dicts, at least one, with the keys of the first or some of them. Text is written by
            `kerasep.system.names.csv_cell`.

    Raises:
        InputError: for a file that cannot be written; what was there is left as it was.
        ValueError: for keys that the first row lacks.

    Example:
    ```python
    import pathlib
    from kerasep.files.text_files import write_table

    write_table("scores.csv", [{"track": "=1+1", "usdr": -3.2}])
    assert pathlib.Path("scores.csv").read_text().split() == ["track,usdr", "'=1+1,-3.2"]
    ```
    """
    path = pathlib.Path(path)
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writerow({name: csv_cell(name) for name in rows[0]})
            for row in rows:
                writer.writerow({name: csv_cell(value) for name, value in row.items()})
        os.replace(partial, path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)
