"""Manifests: lists of the files of an archive, and of their names."""

import csv
import io
import os
import pathlib
from collections.abc import Iterable

from kerasep.errors import InputError
from kerasep.files.text_files import file_name, read_text


def read_manifest(path: str | os.PathLike) -> dict[str, pathlib.Path]:
    r"""Read which files to separate.

    Args:
        path: A text file with a path on each line, or a `.csv` file with a column `file` and an
            optional column `name`. Relative paths are relative to the manifest's folder.

    Returns:
        Dict from name to path, as `archives.separate` takes it. The name defaults to the file's
        stem. A file that is listed twice occurs once.

    Raises:
        InputError: The manifest cannot be read or lists no file, or two files have one name.

    Example:
    ```python
    import pathlib
    from kerasep.separation import archives

    pathlib.Path("files.txt").write_text("a/first.wav\nb/second.flac\n")
    assert list(archives.read_manifest("files.txt")) == ["first", "second"]
    ```
    """
    path = pathlib.Path(path)
    try:
        text = read_text(path)
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not text in UTF-8: expected a path on each line") from error
    listed: list[tuple[str, str | None]]
    if path.suffix.lower() == ".csv":
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        if rows and "file" not in rows[0]:
            raise InputError(f"{path} has columns {', '.join(rows[0])}, expected file and name")
        listed = [(row["file"], row.get("name")) for row in rows]
    else:
        listed = [(line.strip(), None) for line in io.StringIO(text, newline=None)]
    return named(
        (file_name(name or pathlib.Path(file).stem), path.parent / file_name(file))
        for file, name in listed
        if file
    )


def named(
    pairs: Iterable[tuple[str, pathlib.Path]], nested: bool = False
) -> dict[str, pathlib.Path]:
    """Return a dict from folder names to files, each file once; nested names have slashes."""
    files: dict[str, pathlib.Path] = {}
    for name, file in pairs:
        if name in files and os.path.realpath(files[name]) == os.path.realpath(file):
            continue
        if name in files:
            raise InputError(
                f"received {files[name]} and {file}, both called {name}, expected different names: "
                "rename one, or give them in a .csv manifest, in columns file and name"
            )
        parts = name.split("/") if nested else [name]
        if any(not part or part.startswith(".") or {"/", "\\"} & {*part} for part in parts):
            raise InputError(f"received the name {name!r} for {file}, expected that of a folder")
        files[name] = file
    if not files:
        raise InputError("received no file to separate, expected one or more")
    return files
