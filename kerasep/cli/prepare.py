"""The command `kerasep prepare`."""

import pathlib
from types import SimpleNamespace
from typing import Annotated

import typer

from kerasep.cli.options import Missing, Names, Runner, RunnerOptions, hushed, named, without_none
from kerasep.cli.terminal import progress_bar, say, start_keras
from kerasep.errors import InputError


def prepare(
    data: Annotated[pathlib.Path, typer.Argument(help="folder of tracks")],
    out_folder: Annotated[pathlib.Path, typer.Option("--out", help="the folder for the shards")],
    model: Annotated[
        str | None,
        typer.Option(
            "--model", "-m", help="a preset or a run's folder, for its sources, rate and transform"
        ),
    ] = None,
    format: Annotated[
        str,
        typer.Option(
            help="int16 or float16 stores waveforms, spectrogram the model's transform in float16"
        ),
    ] = "int16",
    valid: Annotated[
        pathlib.Path | None,
        typer.Option(help="validation tracks; default: those of the data set, or every tenth"),
    ] = None,
    sources: Names = None,
    sample_rate: Annotated[int | None, typer.Option(min=1, help="in Hz")] = None,
    channels: Annotated[int | None, typer.Option(min=1, help="1 mono, 2 stereo")] = None,
    n_fft: Annotated[int | None, typer.Option(min=2, help="frame length in samples")] = None,
    hop: Annotated[int | None, typer.Option(min=1, help="samples between frames")] = None,
    shard_megabytes: Annotated[int, typer.Option(min=1, help="approximate size of a file")] = 256,
    runner: Runner = None,
    runner_option: RunnerOptions = None,
    missing: Missing = "refuse",
):
    """Write tracks as TFRecord shards, which training reads faster than audio files.

    Use the folder with kerasep train --data. The same command resumes after an interruption, and
    rewrites damaged shards. With --runner, shards that could not be written are listed in
    OUT/failures.csv, with status 1.
    """
    start_keras()
    from kerasep.data import find_tracks
    from kerasep.data.prepared import layout, preparation, shards

    signal = _signal(
        model, named(sources) | without_none(sample_rate=sample_rate, channels=channels)
    )
    if n_fft or hop:
        stft = {**(layout.transform_of(signal) or {}), **without_none(n_fft=n_fft, hop=hop)}
        signal = SimpleNamespace(**{**vars(signal), "stft": stft})
    held_out = find_tracks(valid, signal.sources, missing=missing or "refuse") if valid else None
    plan = shards.plan(
        find_tracks(data, signal.sources, missing=missing or "refuse"),
        signal,
        held_out,
        format=format,
        shard_bytes=shard_megabytes << 20,
    )
    seconds = sum(track.duration for track in plan.tracks)
    say(
        f"{len(plan.tracks)} tracks, {seconds / 3600:.2f} hours, {', '.join(signal.sources)}: "
        f"{plan.bytes / 1e6:,.0f} MB in {len(plan.shards)} shards"
    )
    with progress_bar("preparing") as progress:
        if runner is None:
            index = preparation.carry_out(plan, out_folder, progress=progress)
        else:
            index = _spread(plan, out_folder, runner, runner_option, progress)
    lost = f"rounding {index['snr_db']} dB below the signal" if index["snr_db"] else "nothing lost"
    say(f"{out_folder / layout.INDEX}: {format}, {lost}")
    for skip in index["skipped"]:
        say(f"left out: {skip['track']}: {skip['reason']}")


def _spread(plan, out_folder, runner, options, progress):
    from kerasep.separation import archives

    with hushed(runner):
        index, failures = archives.prepare(
            plan, out_folder, runner=runner, options=options or (), progress=progress
        )
    if failures:
        say(
            f"{out_folder / archives.FAILURES}: {len(failures)} shards that failed, with the reason"
        )
        raise typer.Exit(1)
    return index


def _signal(model, options):
    """Return sources, rate, channels and transform, of the model or from the options."""
    if model is not None:
        from kerasep import zoo

        loaded = zoo.load(model, None if pathlib.Path(model).exists() else False, **options)
        names = ("sources", "sample_rate", "channels", "stft")
        return SimpleNamespace(**{name: getattr(loaded, name) for name in names})
    missing = {"sources", "sample_rate", "channels"} - set(options)
    if missing:
        raise InputError(
            f"received no --model and no {', '.join(sorted(missing))}: expected a model, or all of "
            "--sources, --sample-rate and --channels"
        )
    return SimpleNamespace(**options, stft=None)
