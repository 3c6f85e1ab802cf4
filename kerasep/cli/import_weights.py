"""The command `kerasep import`."""

import pathlib
from typing import Annotated

import typer

from kerasep.cli.options import Names, Overwrite, check_output, named
from kerasep.cli.terminal import say, start_keras
from kerasep.errors import InputError


def import_weights(
    checkpoint: Annotated[
        pathlib.Path, typer.Argument(help="the checkpoint of another project: a file or a folder")
    ],
    entry: Annotated[str, typer.Option("--as", help="the preset with the same architecture")],
    out_file: Annotated[
        pathlib.Path, typer.Option("--out", help="the .weights.h5 or .keras file to write")
    ],
    sources: Names = None,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="then separate a synthetic song, and compare the estimates with those of the "
            "project's own package, if that is installed",
        ),
    ] = False,
    overwrite: Overwrite = False,
):
    """Convert a checkpoint of another project, such as Open-Unmix, Asteroid or Demucs.

    No code in the checkpoint is run, and the other project need not be installed. A .keras file
    holds the whole model: use it with kerasep separate --model.
    """
    start_keras()
    from kerasep import importers, zoo

    if not out_file.name.endswith((".weights.h5", ".keras")):
        raise InputError(
            f"received --out {out_file}, expected a name that ends in .weights.h5 or .keras"
        )
    check_output(out_file, overwrite)
    model = zoo.load(entry, weights=False, **named(sources))
    importers.load(model, checkpoint)
    if out_file.suffix == ".keras":
        model.save(out_file, overwrite=True)
    else:
        model.save_weights(out_file, overwrite=True)
    say(f"{out_file}: {model.count_params():,} weights, {', '.join(model.sources)}")
    if verify:
        from kerasep.cli.verification import compare_with_original

        compare_with_original(model, checkpoint)
