"""The command `kerasep separate`."""

import functools
import pathlib
from typing import Annotated

import typer

from kerasep.cli.options import (
    Consistent,
    ModelOption,
    Residual,
    Runner,
    RunnerOptions,
    Track,
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
        pathlib.Path,
        typer.Option("--out", help="folder for the results: a folder of stems for each file"),
    ],
    files: Annotated[
        list[pathlib.Path] | None, typer.Argument(help="audio files of any kind and length")
    ] = None,
    suffix: Annotated[str, typer.Option(help=".wav, .flac or .ogg")] = ".wav",
    wiener_iterations: Wiener = 0,
    residual: Residual = None,
    consistent: Consistent = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="separate all again, and replace existing stems")
    ] = False,
    track: Track = None,
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
    """Separate recordings into one file per source: OUT/<name>/<source>.wav.

    Files that cannot be separated are listed at the end, with status 1, or 2 if no file could be.
    The same command again resumes where it was stopped: existing stems are kept if they have the
    recording's rate, length and channels. With --overwrite they are replaced.

    With --runner or --manifest, many files are separated at once, and OUT/failures.csv lists the
    failures.
    """
    suffix = suffix if suffix.startswith(".") else f".{suffix}"
    if manifest is not None or runner is not None:
        if overwrite:
            raise InputError(
                "received --overwrite for an archive, whose finished files are kept: remove their "
                "folders, or choose another"
            )
        load = functools.partial(load_chunked, model, wiener_iterations, residual, consistent)
        _archive(
            files, manifest, out_folder, load, suffix, track, runner or "direct", runner_option
        )
        return
    if not files:
        raise InputError("received no file: name audio files, or give --manifest")
    if not model.endswith(".tflite"):
        start_keras()
    from kerasep.data.audio.writer import check_suffix
    from kerasep.files.folder_lock import locked
    from kerasep.separation import archives

    check_suffix(f"stem{suffix}")
    files_by_name = archives.named((file.stem, file) for file in files)
    separator = chunked(as_separator(trained(model), wiener_iterations, residual, consistent))
    failures = []
    with locked(out_folder):
        for name, file in files_by_name.items():
            folder = out_folder / name
            reason = archives.attempt(
                _separate_one, file, separator, folder, suffix, overwrite, track
            )
            failures += [] if reason is None else [(str(file), reason)]
    _end(out_folder, len(files), failures)


def _separate_one(file, separator, folder, suffix, overwrite, track):
    from kerasep.files.atomic import remove_partial
    from kerasep.separation import recordings

    remove_partial(folder)
    kept = set() if overwrite else {*folder.glob("*")}
    with progress_bar(file.name) as progress:
        paths = recordings.separate_file(
            separator,
            file,
            folder,
            suffix=suffix,
            overwrite=overwrite,
            resume=not overwrite,
            track=track,
            progress=progress,
        )
    for path in paths.values():
        say(f"{path}{' exists: kept' if path in kept else ''}")


def _archive(files, manifest, out_folder, load, suffix, track, runner, options):
    from kerasep.data.audio.writer import check_suffix
    from kerasep.separation import archives

    check_suffix(f"stem{suffix}")
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
            track=track,
            runner=runner,
            options=options or (),
            progress=progress,
        )
    say(f"{out_folder}: {len(files) - len(failures)} of {len(files)} files are separated")
    if failures:
        say(f"{out_folder / archives.FAILURES} lists the failures: {len(failures)}")
    _end(out_folder, len(files), failures)


def _end(out_folder, count, failures):
    """List the failures, and end with status 1, or 2 if there is nothing else."""
    if count == len(failures) == 1:
        raise InputError(_line(*failures[0]))
    for failure in failures:
        say(f"failed: {_line(*failure)}")
    if failures and len(failures) == count:
        raise InputError(f"none of the {count} files could be separated into {out_folder}")
    if failures:
        raise typer.Exit(1)


def _line(file, reason):
    return reason if file in reason else f"{file}: {reason}"
