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
    own_settings: Annotated[
        bool,
        typer.Option(
            "--own-settings",
            help="build the model by the sizes in the file, and the settings in it or in a .yaml "
            "beside it, not by the preset's; OUT must be a .keras file",
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
    if own_settings and out_file.suffix != ".keras":
        raise InputError(
            f"received --own-settings and --out {out_file}, expected a name that ends in .keras: "
            f"no preset fits weights alone"
        )
    check_output(out_file, overwrite)
    if own_settings:
        model = importers.build(zoo.describe(entry)["class"], checkpoint, **named(sources))
    else:
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
