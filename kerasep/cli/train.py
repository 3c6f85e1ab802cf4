"""The command `kerasep train`."""

import contextlib
import pathlib
from typing import Annotated, Literal

import typer

from kerasep.cli.options import Missing, Names, given, named
from kerasep.cli.terminal import out, say, show_log, start_keras
from kerasep.errors import InputError


def train(
    name: Annotated[str, typer.Argument(help="a preset's name")],
    data: Annotated[
        pathlib.Path, typer.Option(help="folder of tracks in any layout, or a manifest")
    ],
    out_folder: Annotated[pathlib.Path, typer.Option("--out", help="the run's folder")],
    valid: Annotated[
        pathlib.Path | None,
        typer.Option(help="validation tracks; default: those of the data set, or every tenth"),
    ] = None,
    sources: Names = None,
    sample_rate: Annotated[int | None, typer.Option(min=1, help="in Hz")] = None,
    channels: Annotated[int | None, typer.Option(min=1, help="1 mono, 2 stereo")] = None,
    weights: Annotated[
        pathlib.Path | None, typer.Option(help="start from these weights, of the same model")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="at most this many")] = None,
    batch_size: Annotated[
        str | None,
        typer.Option(help="crops in a batch; auto: the largest power of two that fits, up to 256"),
    ] = None,
    crop_seconds: Annotated[float | None, typer.Option(help="length of a crop")] = None,
    crops_per_track: Annotated[
        int | None, typer.Option(min=1, help="crops of a track in an epoch")
    ] = None,
    devices: Annotated[
        str,
        typer.Option(help="number of devices that share each batch, or all (JAX, TensorFlow)"),
    ] = "1",
    data_service: Annotated[
        str | None,
        typer.Option(help="tcp://HOST:PORT of a kerasep data serve that reads and mixes"),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="read and mix in this many processes, if training waits for its data: a data "
            "service for this machine only",
        ),
    ] = None,
    reader: Annotated[
        Literal["tensorflow-io"] | None,
        typer.Option(help="what reads audio files instead of kerasep's own decoders"),
    ] = None,
    max_minutes: Annotated[float | None, typer.Option(help="stop at about this time")] = None,
    seed: Annotated[int, typer.Option(min=0, help="of weights, crops and mixing")] = 0,
    missing: Missing = None,
):
    """Train a preset on a data set. The same command resumes a run that was interrupted.

    All other settings come from the preset's recipe (kerasep show NAME). The run's folder gets
    model.keras (the best weights), history.csv, recipe.json and logs for TensorBoard.

    To train on several hosts (KERAS_BACKEND=jax), start the command on each of them, with --devices
    all and the environment variables of keras.distribution.initialize. The first one writes the
    folder.
    """
    batch_size = _number_or("auto", "--batch-size", batch_size)
    devices = _number_or("all", "--devices", devices)
    if workers and data_service:
        raise InputError(
            f"received --workers {workers} and --data-service {data_service}, expected one of them"
        )
    start_keras(join_hosts=True)
    show_log()
    import keras

    from kerasep import training, zoo
    from kerasep.data.prepared.index import is_prepared
    from kerasep.data.service.servers import serving
    from kerasep.training.progress import FitProgress

    keras.utils.set_random_seed(seed)
    overrides = given(sample_rate=sample_rate, channels=channels) | named(sources)
    model = zoo.load(name, weights=weights, **overrides)
    settings = given(
        batch_size=batch_size,
        crop_seconds=crop_seconds,
        crops_per_track=crops_per_track,
        missing=missing,
        reader=reader,
    )
    say(f"{name}: {model.count_params():,} parameters, {', '.join(model.sources)}")
    if not is_prepared(data):
        say("first, the level of every frequency in the training data")
    with contextlib.ExitStack() as stack:
        progress = stack.enter_context(contextlib.closing(FitProgress(out)))
        if workers:
            data_service = stack.enter_context(serving(workers=workers)).address
        history = training.train(
            model,
            data,
            out_folder,
            valid,
            recipe=given(epochs=epochs) | {"data": settings},
            seed=seed,
            devices=devices,
            data_service=data_service,
            max_minutes=max_minutes,
            callbacks=[progress],
        )
    minutes = history[-1]["seconds"] / 60
    say(f"{out_folder / 'model.keras'}: {len(history)} epochs in {minutes:.1f} minutes")


def _number_or(word, option, text):
    """Parse an option's value: a number from 1, or a word."""
    if text is None or text == word:
        return text
    if not text.isdecimal() or int(text) < 1:
        raise InputError(f"received {option} {text}, expected {word} or a number from 1 on")
    return int(text)
