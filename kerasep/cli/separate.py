"""The command `kerasep separate`."""

import functools
import pathlib
from typing import Annotated, Literal

import typer

from kerasep.cli.options import (
    Consistent,
    Models,
    Overlap,
    Residual,
    Runner,
    RunnerOptions,
    Track,
    Wiener,
    check_models,
    hushed,
    listed,
    load_chunked,
)
from kerasep.cli.recording_files import check_writable, named_recordings, unusable
from kerasep.cli.terminal import progress_bar, say
from kerasep.errors import InputError


def separate(
    files: Annotated[
        list[pathlib.Path] | None,
        typer.Argument(help="audio files of any kind and length, or folders of them"),
    ] = None,
    models: Models = None,
    weights: Annotated[
        str | None,
        typer.Option(help="weights of several models, such as 2,1; default: equal"),
    ] = None,
    out_folder: Annotated[
        pathlib.Path, typer.Option("--out", help="folder for the results")
    ] = pathlib.Path("stems"),
    name: Annotated[
        str,
        typer.Option(help="path of each result in OUT, without suffix; fields {track}, {stem}"),
    ] = "{track}/{stem}",
    stems: Annotated[
        str | None, typer.Option(help="write only these stems, separated by commas; default: all")
    ] = None,
    minus: Annotated[
        str | None,
        typer.Option(
            help="write the recording without these stems: minus_vocals for vocals; without "
            "--stems nothing else is written"
        ),
    ] = None,
    suffix: Annotated[
        str, typer.Option(help=".wav, .flac, .ogg, .mp3, .m4a (AAC) or .opus (48 kHz)")
    ] = ".wav",
    bits: Annotated[
        Literal["16", "24", "32f"] | None,
        typer.Option(
            help="bits per sample of .wav and .flac, 32f being float; default: 32f for .wav, 24 "
            "for .flac"
        ),
    ] = None,
    normalize: Annotated[
        bool,
        typer.Option(
            "--normalize",
            help="if a stem of a recording exceeds full scale, turn all of them down equally",
        ),
    ] = False,
    band: Annotated[
        Literal["full", "model"],
        typer.Option(
            help="full: frequencies above the model's go to the source that stands for the rest; "
            "model: leave them out"
        ),
    ] = "full",
    wiener_iterations: Wiener = 0,
    residual: Residual = None,
    consistent: Consistent = None,
    overlap: Overlap = None,
    both_polarities: Annotated[
        bool,
        typer.Option(
            "--both-polarities",
            help="separate the negative of each recording too, and write the mean of both: less "
            "noise of the model's own, in twice the time",
        ),
    ] = False,
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
    """Separate recordings into one file per source: OUT/{track}/{stem}.wav.

    {track} is the name of the file. Of a folder, all audio files are separated, and {track} is
    the path from the folder on. Title, artist, cover and the like are copied. Samples beyond full
    scale are clipped, except in 32-bit float WAV files; the log counts them.

    Files that cannot be separated are listed at the end, with status 1, or 2 if no file could be.
    The same command again resumes where it was stopped: existing stems are kept if they have the
    recording's rate, length and channels. With --overwrite they are replaced.

    With --runner or --manifest, many files are separated at once, and OUT/failures.csv lists the
    failures.
    """
    from kerasep.data.audio.encodings import encoding_of

    suffix = suffix if suffix.startswith(".") else f".{suffix}"
    encoding_of(f"stem{suffix}", bits)
    is_archive = manifest is not None or runner is not None
    if is_archive:
        _check_archive(files, overwrite, name)
    elif not files:
        raise InputError("received no file: name audio files or folders, or give --manifest")
    check_writable(out_folder)
    names = check_models(models)
    settings = {
        "suffix": suffix,
        "bits": bits,
        "stems": listed(stems),
        "minus": listed(minus),
        "normalize": normalize,
        "band": band,
        "weights": _numbers(weights, names),
        "track": track,
    }
    load = functools.partial(
        load_chunked, names, wiener_iterations, residual, consistent, overlap, both_polarities
    )
    if is_archive:
        _archive(files, manifest, out_folder, load, settings, runner or "direct", runner_option)
        return
    tracks = named_recordings(files or (), out_folder)
    templates = _templates(name, tracks, settings)
    failed = unusable(tracks.values(), track)
    failures = {file: failed.get(file) for file in tracks.values()}
    if len(failed) < len(tracks):
        separators = load()
        paths = _results(separators, out_folder, templates, settings)
        from kerasep.files.folder_lock import locked
        from kerasep.separation.beam_runs import attempt

        with locked(out_folder):
            for name, file in tracks.items():
                failures[file] = failures[file] or attempt(
                    _separate_one,
                    file,
                    separators,
                    out_folder,
                    templates[name],
                    paths[name],
                    overwrite,
                    settings,
                )
    _end(out_folder, len(tracks), [(str(f), reason) for f, reason in failures.items() if reason])


def _numbers(weights, models):
    """Return --weights as a list of numbers, or None."""
    if weights is None:
        return None
    try:
        numbers = [float(number) for number in weights.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != len(models):
        raise InputError(
            f"received --weights {weights}, expected a number for each --model, separated by "
            f"commas: {len(models)} in all"
        )
    return numbers


def _templates(name, tracks, settings):
    """Return the template of the results' paths for each track, in which {stem} is left."""
    from kerasep.separation.stem_files import filled_name

    filled_name(name, {"track": "track", "stem": None})
    if len(tracks) > 1 and "{track}" not in name:
        raise InputError(
            f"received --name {name!r} for {len(tracks)} files, expected {{track}} in it"
        )
    count = len(settings["stems"] or ()) + len(settings["minus"] or ())
    if count != 1 and "{stem}" not in name:
        raise InputError(
            f"received --name {name!r}, expected {{stem}} in it: there may be several stems"
        )
    return {track: filled_name(name, {"track": track, "stem": None}) for track in tracks}


def _results(separators, out_folder, templates, settings):
    """Return the files of each track; raise InputError if two of them would be one."""
    from kerasep.separation.ensembles import shared_sources
    from kerasep.separation.stem_files import outputs, requested_outputs

    sources = shared_sources(separators, settings["weights"])
    requested = requested_outputs(sources, settings["stems"], settings["minus"])
    results, taken = {}, {}
    for track, template in templates.items():
        paths = outputs(requested, out_folder, settings["suffix"], True, template).values()
        results[track] = [*paths]
        for path in paths:
            other = taken.setdefault(path, track)
            if other != track:
                raise InputError(
                    f"received --name {template!r}: {path} would hold stems of {other} and of "
                    f"{track}, expected different paths"
                )
    return results


def _separate_one(file, separators, out_folder, template, results, overwrite, settings):
    from kerasep.files.atomic import remove_partial
    from kerasep.separation import recordings

    for folder in {path.parent for path in results}:
        remove_partial(folder)
    kept = [] if overwrite else [path for path in results if path.exists()]
    with progress_bar(file.name) as progress:
        paths = recordings.separate_file(
            separators,
            file,
            out_folder,
            name=template,
            overwrite=overwrite,
            resume=not overwrite,
            progress=progress,
            **settings,
        )
    for path in paths.values():
        say(f"{path}{' exists: kept' if path in kept else ''}")


def _check_archive(files, overwrite, name):
    if overwrite:
        raise InputError(
            "received --overwrite for an archive, whose finished files are kept: remove their "
            "folders, or choose another"
        )
    if name != "{track}/{stem}":
        raise InputError(
            "received --name for an archive, which has a folder for each file: leave it out"
        )
    folders = [file for file in files or () if file.is_dir()]
    if folders:
        raise InputError(
            f"received the folder {folders[0]} for an archive, expected files: list them in a "
            f"--manifest"
        )


def _archive(files, manifest, out_folder, load, settings, runner, options):
    from kerasep.separation import archives

    pairs = [(file.stem, file) for file in files or ()]
    if manifest is not None:
        pairs += archives.read_manifest(manifest).items()
    files = archives.named(pairs)
    with progress_bar("separating") as progress, hushed(runner):
        failures = archives.separate(
            files,
            out_folder,
            load,
            runner=runner,
            options=options or (),
            progress=progress,
            **settings,
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
