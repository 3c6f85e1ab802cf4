"""The command `kerasep demo`."""

import pathlib
from typing import Annotated

import typer

from kerasep.cli.options import Overwrite
from kerasep.cli.terminal import out, say, start_keras


def demo(
    out_folder: Annotated[pathlib.Path, typer.Option("--out", help="folder for all results")] = (
        pathlib.Path("demo")
    ),
    clip: Annotated[
        pathlib.Path | None,
        typer.Option(help="a recording with singing, for the preset with trained weights"),
    ] = None,
    minutes: Annotated[float, typer.Option(help="training time")] = 1.5,
    overwrite: Overwrite = False,
):
    """Generate songs, train, score and export a small model, and write a page with the results."""
    start_keras()
    from kerasep.reports import demo as demonstration

    page = demonstration.run(out_folder, minutes, out, overwrite=overwrite, clip=clip)
    say(f"open {page} in a browser")
