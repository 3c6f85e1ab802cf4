"""The command `kerasep import`."""

import pathlib
from typing import Annotated

import typer

from kerasep.cli.options import Names, Overwrite, named
from kerasep.cli.terminal import say, start_keras
from kerasep.errors import InputError


def import_weights(
    checkpoint: Annotated[
        pathlib.Path, typer.Argument(help="the file that another project published, or its folder")
    ],
    entry: Annotated[str, typer.Option("--as", help="the preset that it belongs to")],
    out_file: Annotated[
        pathlib.Path, typer.Option("--out", help="the .weights.h5 file to write, or .keras")
    ],
    sources: Names = None,
    overwrite: Overwrite = False,
):
    """Convert another project's checkpoint: Open-Unmix, Asteroid, Demucs, Spleeter or nussl.

    Nothing in the file is run, and the other project need not be installed. A .keras file holds the
    whole model, which kerasep separate --model takes.
    """
    start_keras()
    from kerasep import importers, zoo

    if not out_file.name.endswith((".weights.h5", ".keras")):
        raise InputError(
            f"received --out {out_file}, expected a name that ends in .weights.h5 or .keras"
        )
    if out_file.exists() and not overwrite:
        raise InputError(f"{out_file} exists: choose another name, or --overwrite")
    if not out_file.parent.is_dir():
        raise InputError(f"there is no folder {out_file.parent}: make it first")
    model = zoo.load(entry, **named(sources))
    importers.load(model, checkpoint)
    if out_file.suffix == ".keras":
        model.save(out_file, overwrite=True)
    else:
        model.save_weights(out_file, overwrite=True)
    say(f"{out_file}: {model.count_params():,} weights, {', '.join(model.sources)}")
