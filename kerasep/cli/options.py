"""Options that several commands share, and the objects that they build."""

import contextlib
import logging
import os
import pathlib
import threading
from typing import Annotated, Literal

import typer

from kerasep.cli.terminal import progress_bar, spinner, start_keras
from kerasep.errors import InputError


def complete_presets(incomplete: str) -> list[str]:
    """Return the presets that begin with what was typed."""
    from kerasep import zoo

    return [name for name in zoo.list_entries() if name.startswith(incomplete)]


def complete_models(incomplete: str) -> list[str]:
    """Return the presets, files and folders that begin with what was typed."""
    presets = complete_presets(incomplete)
    folder = pathlib.Path(incomplete if incomplete.endswith("/") else os.path.dirname(incomplete))
    with contextlib.suppress(OSError):
        for path in sorted(folder.iterdir()):
            is_model = path.suffix in (".keras", ".tflite") or (path / "model.keras").exists()
            if is_model and str(path).startswith(incomplete):
                presets.append(str(path))
    return presets


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
        help="a run's folder, a .keras or .tflite file, or a preset with trained weights",
        autocompletion=complete_models,
    ),
]
Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        "-m",
        help="a run's folder, a .keras or .tflite file, or a preset with trained weights; may be "
        "repeated, for the mean of several; default: the best preset for songs",
        autocompletion=complete_models,
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
    bool | None,
    typer.Option(
        "--consistent/--no-consistent",
        help="adjust the sources so that they add up to the mixture; default: if the sources make "
        "up the whole mixture",
    ),
]


Overlap = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=0.99,
        help="share of a chunk that is in the next one too: 0.75 takes twice as long as 0.5; "
        "default: the model's own",
    ),
]


def check_models(names):
    """Return the names of models, by default of one; raise InputError for one without weights."""
    from kerasep import zoo
    from kerasep.zoo.cards import check_trained

    names = names or [zoo.BEST_FOR_SONGS]
    for name in names:
        path = pathlib.Path(name)
        if path.suffix in (".keras", ".tflite") and not path.is_file():
            kind = "a folder" if path.is_dir() else "missing"
            raise InputError(f"received model {name}, which is {kind}: check the path")
        if not path.exists():
            check_trained(zoo.describe(name))
    return names


def trained(name):
    """Load a model with trained weights."""
    if name.endswith(".tflite"):
        from kerasep import tflite

        return tflite.Runtime(name)
    from kerasep import zoo

    if pathlib.Path(name).exists() or name.endswith(".keras"):
        return zoo.load(name)
    return load_showing_progress(name, True)


def load_showing_progress(name, weights, **overrides):
    """Load a model, with a progress bar if its weights are downloaded."""
    from kerasep import zoo

    with contextlib.ExitStack() as stack:
        bars = []

        def progress(share):
            if not bars:
                bars.append(stack.enter_context(progress_bar("downloading")))
            bars[0](share)

        return zoo.load(name, weights, progress=progress, **overrides)


def as_separator(model, wiener_iterations, residual, consistent):
    """Wrap a model as a separator of waveforms; an exported file already is one."""
    if not hasattr(model, "domain"):
        if wiener_iterations or residual or consistent is not None:
            raise InputError(
                "received --wiener-iterations, --residual or --consistent for a .tflite file, "
                "expected them when it was exported"
            )
        return model
    from kerasep import separation

    return separation.as_separator(model, wiener_iterations, residual, consistent)


def load_chunked(
    names, wiener_iterations, residual, consistent, overlap=None, both_polarities=False
):
    """Load a chunk separator, or a list of them for several models, also in a new process."""
    if not all(name.endswith(".tflite") for name in names):
        start_keras()
    from kerasep import separation

    separators = []
    for name in names:
        with spinner(f"loading {name}"):
            model = trained(name)
            separator = as_separator(model, wiener_iterations, residual, consistent)
            if overlap is not None and not hasattr(model, "domain"):
                raise InputError(
                    f"received --overlap for {name}, expected it for models of the zoo: a .tflite "
                    f"file has its own"
                )
            separators.append(separation.as_chunk_separator(separator, overlap=overlap))
    if both_polarities:
        separators = [separation.polarity.both_polarities(each) for each in separators]
    return separators[0] if len(separators) == 1 else separators


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


def listed(names):
    """Return the names that an option separates by commas, or None."""
    return None if names is None else [name.strip() for name in names.split(",")]


def named(sources):
    """Return --sources as an argument of `zoo.load`."""
    return {} if sources is None else {"sources": listed(sources)}


def check_output(path, overwrite):
    """Raise InputError for an output that cannot be written, before any work."""
    if path.exists() and not overwrite:
        raise InputError(f"received {path}, which exists: choose another, or --overwrite")
    if not path.parent.is_dir():
        raise InputError(f"received {path}, but there is no folder {path.parent}: create it first")


def without_none(**options):
    """Return the options but those that are None."""
    return {key: value for key, value in options.items() if value is not None}
