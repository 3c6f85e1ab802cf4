"""Options that several commands share, and the objects that they build."""

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
        help="distribute the work with Apache Beam: direct (the processors of this machine), or "
        "another runner of Beam"
    ),
]
RunnerOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--runner-option",
        metavar="NAME=VALUE",
        help="an option of Beam, such as direct_num_workers=2; may be repeated",
    ),
]
Names = Annotated[
    str | None, typer.Option(help="source names separated by commas, instead of the preset's")
]
ModelOption = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        help="a run's folder, a .keras or .tflite file, or a preset with published weights",
    ),
]
Track = Annotated[
    int | None,
    typer.Option(min=1, help="the audio track to use, in files with several; default: the first"),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="replace files that exist")]
Missing = Annotated[
    Literal["silent", "skip", "refuse"] | None,
    typer.Option(help="if a track lacks a stem: use silence, skip the track, or fail"),
]
Wiener = Annotated[
    int,
    typer.Option(
        min=0, help="iterations of the multichannel Wiener filter; 0 uses the phase of the mixture"
    ),
]
Residual = Annotated[
    str | None, typer.Option(help="name of an extra source: the mixture minus all sources")
]
Consistent = Annotated[
    bool, typer.Option("--consistent", help="adjust the sources so that they add up to the mixture")
]


def trained(name):
    """Load a model with trained weights."""
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
    """Wrap a model as a separator of waveforms; an exported file already is one."""
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
    """Return the separator of one chunk, for recordings of any length."""
    if hasattr(separator, "chunk_separator"):
        return separator.chunk_separator()
    from kerasep import separation

    return separation.chunk_separator(separator)


def load_chunked(name, wiener_iterations, residual, consistent):
    """Load a chunk separator, also in a new process."""
    if not name.endswith(".tflite"):
        start_keras()
    return chunked(as_separator(trained(name), wiener_iterations, residual, consistent))


@contextlib.contextmanager
def hushed(runner):
    """Hide the messages of Beam's local processes; other runners print where a job is."""
    if runner != "direct":
        yield
        return
    from kerasep.tflite.silence import quiet

    try:
        with quiet():
            yield
    except BaseException:
        # The process ends, and every thread of Beam would report a broken connection.
        logging.getLogger("apache_beam").setLevel(logging.CRITICAL + 1)
        threading.excepthook = lambda _: None
        raise


def named(sources):
    """Return --sources as an argument of `zoo.load`."""
    return {} if sources is None else {"sources": [name.strip() for name in sources.split(",")]}


def check_output(path, overwrite):
    """Raise InputError for an output that cannot be written, before any work."""
    if path.exists() and not overwrite:
        raise InputError(f"received {path}, which exists: choose another, or --overwrite")
    if not path.parent.is_dir():
        raise InputError(f"received {path}, but there is no folder {path.parent}: create it first")


def given(**options):
    """Return the options that are not None."""
    return {key: value for key, value in options.items() if value is not None}
