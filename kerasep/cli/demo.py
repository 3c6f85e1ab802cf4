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
        typer.Option(help="your own song: its loudest 30 seconds come first on the page"),
    ] = None,
    minutes: Annotated[float, typer.Option(min=0.0, help="time for fine-tuning")] = 1.5,
    overwrite: Overwrite = False,
):
    """Fine-tune a small model on synthetic songs, score and export it, and write a page to listen.

    The results appear in the folder once all are complete.
    """
    start_keras()
    from kerasep.reports import demo as demonstration

    page = demonstration.run(out_folder, minutes, out, overwrite=overwrite, clip=clip)
    say(f"open {page} in a browser")
