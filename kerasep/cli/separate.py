"""The command `kerasep separate`."""

import functools
import pathlib
from typing import Annotated

import typer

from kerasep.cli.options import (
    Consistent,
    ModelOption,
    Overwrite,
    Residual,
    Runner,
    RunnerOptions,
    Wiener,
    as_separator,
    chunked,
    hushed,
    load_chunked,
    trained,
)
from kerasep.cli.terminal import progress_bar, say, start_keras
from kerasep.errors import InputError


def separate(
    model: ModelOption,
    out_folder: Annotated[
        pathlib.Path, typer.Option("--out", help="gets a folder for each file, with its stems")
    ],
    files: Annotated[
        list[pathlib.Path] | None, typer.Argument(help="audio files of any kind and length")
    ] = None,
    suffix: Annotated[str, typer.Option(help=".wav, .flac or .ogg")] = ".wav",
    wiener_iterations: Wiener = 0,
    residual: Residual = None,
    consistent: Consistent = False,
    overwrite: Overwrite = False,
    manifest: Annotated[
        pathlib.Path | None,
        typer.Option(
            help="more files: a path on each line, or a .csv with columns file and name; implies "
            "--runner direct"
        ),
    ] = None,
    runner: Runner = None,
    runner_option: RunnerOptions = None,
):
    """Separate recordings into one file a source: OUT/<name>/<source>.wav.

    With --runner or --manifest, an archive: the same command again goes on where it was stopped,
    and files that cannot be separated are listed in OUT/failures.csv, with status 1.
    """
    suffix = suffix if suffix.startswith(".") else f".{suffix}"
    if manifest is not None or runner is not None:
        if overwrite:
            raise InputError(
                "received --overwrite for an archive, whose finished files are kept: remove their "
                "folders, or choose another"
            )
        load = functools.partial(load_chunked, model, wiener_iterations, residual, consistent)
        _archive(files, manifest, out_folder, load, suffix, runner or "direct", runner_option)
        return
    if not files:
        raise InputError("received no file: name audio files, or give --manifest")
    if not model.endswith(".tflite"):
        start_keras()
    from kerasep import recordings

    separator = as_separator(trained(model), wiener_iterations, residual, consistent)
    names = [file.stem for file in files]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise InputError(
            f"received several files called {', '.join(sorted(twice))}, expected different names: "
            f"separate them into different folders"
        )
    settings = {"suffix": suffix, "overwrite": overwrite}
    for file in files:  # before the first of them takes its time
        recordings.planned(separator, file, out_folder / file.stem, **settings)
    for file in files:
        with progress_bar(file.name) as progress:
            paths = recordings.separate_file(
                chunked(separator), file, out_folder / file.stem, **settings, progress=progress
            )
        for path in paths.values():
            say(path)


def _archive(files, manifest, out_folder, load, suffix, runner, options):
    from kerasep import archives

    pairs = [(file.stem, file) for file in files or ()]
    if manifest is not None:
        pairs += archives.read_manifest(manifest).items()
    files = archives.named(pairs)
    with progress_bar("separating") as progress, hushed(runner):
        failures = archives.separate(
            files,
            out_folder,
            load,
            suffix=suffix,
            runner=runner,
            options=options or (),
            progress=progress,
        )
    say(f"{out_folder}: {len(files) - len(failures)} of {len(files)} files are separated")
    if failures:
        say(f"{out_folder / archives.FAILURES} says why not: {len(failures)}")
        raise typer.Exit(1)
