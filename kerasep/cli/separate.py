"""The command `kerasep separate`."""

import pathlib
from typing import Annotated

import typer

from kerasep.cli.options import (
    ModelOption,
    Overwrite,
    Residual,
    Wiener,
    as_separator,
    chunked,
    trained,
)
from kerasep.cli.terminal import progress_bar, say, start_keras
from kerasep.errors import InputError


def separate(
    files: Annotated[list[pathlib.Path], typer.Argument(help="audio files of any kind and length")],
    model: ModelOption,
    out_folder: Annotated[
        pathlib.Path, typer.Option("--out", help="gets a folder for each file, with its stems")
    ],
    suffix: Annotated[str, typer.Option(help=".wav, .flac or .ogg")] = ".wav",
    wiener_iterations: Wiener = 0,
    residual: Residual = None,
    overwrite: Overwrite = False,
):
    """Separate recordings into one file a source: OUT/<name>/<source>.wav."""
    if not model.endswith(".tflite"):
        start_keras()
    from kerasep import recordings

    separator = as_separator(trained(model), wiener_iterations, residual)
    names = [file.stem for file in files]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise InputError(
            f"received several files called {', '.join(sorted(twice))}, expected different names: "
            f"separate them into different folders"
        )
    settings = {
        "suffix": suffix if suffix.startswith(".") else f".{suffix}",
        "overwrite": overwrite,
    }
    for file in files:  # before the first of them takes its time
        recordings.planned(separator, file, out_folder / file.stem, **settings)
    for file in files:
        with progress_bar(file.name) as progress:
            paths = recordings.separate_file(
                chunked(separator), file, out_folder / file.stem, **settings, progress=progress
            )
        say("\n".join(str(path) for path in paths.values()))
