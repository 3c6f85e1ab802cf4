"""Options that several commands share, and what they stand for."""

import contextlib
import logging
import pathlib
import threading
from typing import Annotated, Literal

import typer

from kerasep.cli.terminal import progress_bar, start_keras
from kerasep.errors import InputError

Runner = Annotated[
    str | None,
    typer.Option(
        help="spread the work by Apache Beam: direct (over this machine's processors), or a runner "
        "that Beam knows"
    ),
]
RunnerOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--runner-option",
        metavar="NAME=VALUE",
        help="an option of Beam's own, such as direct_num_workers=2; may be repeated",
    ),
]
Names = Annotated[
    str | None, typer.Option(help="sources, joined by commas, instead of the preset's")
]
ModelOption = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        help="a run's folder, a .keras or a .tflite file, or a preset with published weights",
    ),
]
Track = Annotated[
    int | None,
    typer.Option(min=1, help="which audio track of files with several; default: the first"),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="replace files that exist")]
Missing = Annotated[
    Literal["silent", "skip", "refuse"] | None,
    typer.Option(
        help="a track that lacks a stem of a source: count it as silence, leave the track out, or "
        "end with an error"
    ),
]
Wiener = Annotated[
    int,
    typer.Option(
        min=0, help="iterations of the multichannel Wiener filter; 0 takes the mixture phase"
    ),
]
Residual = Annotated[
    str | None, typer.Option(help="name one more source: the mixture less all the others")
]
Consistent = Annotated[
    bool, typer.Option("--consistent", help="make the sources add up to the mixture")
]


def trained(name):
    """Load a model that has learned something."""
    if name.endswith(".tflite"):
        from kerasep import tflite

        return tflite.Runtime(name)
    from kerasep import zoo

    if pathlib.Path(name).exists() or name.endswith(".keras"):
        return zoo.load(name)
    card = zoo.describe(zoo.trained_preset(name))
    if not card["weights"]:
        raise InputError(
            f"received preset {card['name']}, which has no published weights: train it first "
            f"(kerasep train {name} --data FOLDER --out RUN), then give --model RUN"
        )
    with progress_bar("downloading") as progress:
        return zoo.load(card["name"], weights=True, progress=progress)


def as_separator(model, wiener_iterations, residual, consistent):
    """Wrap a model from waveform to waveforms; an exported file is that already."""
    if not hasattr(model, "domain"):
        if wiener_iterations or residual or consistent:
            raise InputError(
                "received --wiener-iterations, --residual or --consistent for a .tflite file, "
                "expected them when it was exported"
            )
        return model
    from kerasep.separation.separator import Separator

    return Separator(model, wiener_iterations, residual, consistent)


def chunked(separator):
    """Prepare a separator for recordings of any length."""
    if hasattr(separator, "chunk_separator"):
        return separator.chunk_separator()
    from kerasep import separation

    return separation.chunk_separator(separator)


def load_chunked(name, wiener_iterations, residual, consistent):
    """Load what separates recordings of any length, also in a process that has done nothing yet."""
    if not name.endswith(".tflite"):
        start_keras()
    return chunked(as_separator(trained(name), wiener_iterations, residual, consistent))


@contextlib.contextmanager
def hushed(runner):
    """Keep the lines of Beam's local processes off the terminal; others say where a job is."""
    if runner != "direct":
        yield
        return
    from kerasep.tflite.silence import quiet

    try:
        with quiet():
            yield
    except BaseException:
        # The process ends, and each of Beam's threads would say that its connection is broken.
        logging.getLogger("apache_beam").setLevel(logging.CRITICAL + 1)
        threading.excepthook = lambda _: None
        raise


def named(sources):
    """Turn the names of --sources into an argument of `zoo.load`."""
    return {} if sources is None else {"sources": [name.strip() for name in sources.split(",")]}


def check_output(path, overwrite):
    """Refuse a table or page that cannot be written, before any work."""
    if path.exists() and not overwrite:
        raise InputError(f"received {path}, which exists: choose another, or --overwrite")
    if not path.parent.is_dir():
        raise InputError(f"received {path}, but there is no folder {path.parent}: make it first")


def given(**options):
    """Leave out the options that were not given."""
    return {key: value for key, value in options.items() if value is not None}
