"""The command `kerasep train`."""

import contextlib
import pathlib
from typing import Annotated, Literal

import typer

from kerasep.cli.options import Missing, Names, listed, load_showing_progress, named, without_none
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
        str | None,
        typer.Option(
            metavar="PRESET|FILE",
            help="start from these weights, and keep what fits the model; default: random weights",
        ),
    ] = None,
    freeze: Annotated[
        str | None,
        typer.Option(
            metavar="LAYERS",
            help="layers that are not trained: names or patterns such as 'vocals_*', separated by "
            "commas",
        ),
    ] = None,
    recipe: Annotated[
        pathlib.Path | None,
        typer.Option(
            help="JSON file with changes to the preset's recipe, or a run's recipe.json; all "
            "other options come before it"
        ),
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
    metrics: Annotated[
        str | None,
        typer.Option(help="what is logged beside the loss, separated by commas, such as si_sdr"),
    ] = None,
    monitor: Annotated[
        str | None,
        typer.Option(help="what selects the best weights, such as val_si_sdr; default: val_loss"),
    ] = None,
    dtype: Annotated[
        str | None,
        typer.Option(help="what layers compute in: bfloat16, float16 or float32"),
    ] = None,
    jit_compile: Annotated[
        bool | None,
        typer.Option("--jit-compile/--no-jit-compile", help="XLA; default: Keras decides"),
    ] = None,
    steps_per_execution: Annotated[
        int | None, typer.Option(min=1, help="batches per call of the compiled step")
    ] = None,
    max_minutes: Annotated[float | None, typer.Option(help="stop at about this time")] = None,
    seed: Annotated[int, typer.Option(min=0, help="of weights, crops and mixing")] = 0,
    missing: Missing = None,
):
    """Train a preset on a data set. The same command resumes a run that was interrupted.

    With --weights, training continues from a preset or file, also for other sources or sizes. With
    more --epochs it extends a run, also one that has ended. All other settings come from the
    preset's recipe (kerasep show NAME --json), which --recipe changes. The run's folder gets
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
    from kerasep.data.service.servers import serving
    from kerasep.training.progress import FitProgress
    from kerasep.zoo.cards import merge_recipe, read_recipe

    keras.utils.set_random_seed(seed)
    if weights is None and pathlib.Path(name).exists() and name not in zoo.list_entries():
        raise InputError(
            f"received {name}, expected a preset: name the preset, and this by --weights {name}"
        )
    overrides = without_none(sample_rate=sample_rate, channels=channels) | named(sources)
    model = load_showing_progress(name, False if weights is None else weights, **overrides)
    settings = without_none(
        batch_size=batch_size,
        crop_seconds=crop_seconds,
        crops_per_track=crops_per_track,
        missing=missing,
        reader=reader,
    )
    changes = without_none(epochs=epochs, freeze=listed(freeze)) | {"data": settings}
    if recipe is not None:
        changes = merge_recipe(read_recipe(recipe), changes)
    selects = monitor or changes.get("monitor") or model.recipe.get("monitor") or "val_loss"
    say(f"{name}: {model.count_params():,} parameters, {', '.join(model.sources)}")
    say(f"training starts from {'random weights' if weights is None else weights}")
    with contextlib.ExitStack() as stack:
        shown = FitProgress(out, selects)
        progress = stack.enter_context(contextlib.closing(shown))
        if workers:
            data_service = stack.enter_context(serving(workers=workers)).address
        history = training.train(
            model,
            data,
            out_folder,
            valid,
            recipe=changes,
            seed=seed,
            devices=devices,
            data_service=data_service,
            metrics=None if metrics is None else [name.strip() for name in metrics.split(",")],
            monitor=monitor,
            dtype=dtype,
            jit_compile=jit_compile,
            steps_per_execution=steps_per_execution,
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
