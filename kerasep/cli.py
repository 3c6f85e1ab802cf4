"""The command line: `kerasep COMMAND --help` describes each command."""

import contextlib
import os
import pathlib
import sys
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from kerasep.errors import InputError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Audio source separation in Keras: train, separate, evaluate, export to a phone.",
)
UsageError = typer.BadParameter.__base__  # click's or typer's own, depending on the release
out = Console()
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
Overwrite = Annotated[bool, typer.Option("--overwrite", help="replace files that exist")]
Wiener = Annotated[
    int,
    typer.Option(
        min=0, help="iterations of the multichannel Wiener filter; 0 takes the mixture phase"
    ),
]
Residual = Annotated[
    str | None, typer.Option(help="name one more source: the mixture less all the others")
]


def main():
    """Run the command line, telling what went wrong in one line: status 2, or 130 on Ctrl-C."""
    try:
        status = app(standalone_mode=False)
    except InputError as error:
        _fail(str(error), 2)
    except (KeyboardInterrupt, typer.Abort):
        status = 130  # some releases of typer return it instead
    except OSError as error:
        _fail(f"{error.filename or 'a file'}: {error.strerror or error}", 2)
    except UsageError as error:
        _fail(f"{error.format_message()} (see kerasep --help)", 2)
    if status == 130:
        _fail("stopped; the same command goes on where it can", 130)
    sys.exit(status)


@app.command("list")
def list_entries():
    """List the presets of the zoo: what they separate, and what they cost.

    Weights are in millions; work is in thousands of millions of multiply-adds for a second of
    audio; latency is a causal model's. A star marks presets with published weights.
    """
    _start_keras()
    from kerasep import zoo

    table = Table(box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("preset", no_wrap=True)
    for heading in ("weights", "work", "audio", "latency"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("sources")  # the one that gives way on a narrow terminal
    for name in zoo.list_entries():
        card = zoo.describe(name)
        arguments, size = card["arguments"], card["size"]
        rate, latency = arguments["sample_rate"], size.get("latency")
        table.add_row(
            name + "*" * bool(card["weights"]),
            f"{size['parameters'] / 1e6:.2f}" if size else "",
            f"{size['macs'] / 1e9:.2f}" if size else "",
            f"{rate / 1000:.3g} kHz x{arguments['channels']}",
            f"{1000 * latency / rate:.0f} ms" if latency else "",
            Text(
                f"{len(arguments['sources'])}: {' '.join(arguments['sources'])}",
                no_wrap=True,
                overflow="ellipsis",
            ),
        )
    out.print(table)


@app.command()
def show(name: Annotated[str, typer.Argument(help="a preset's name")]):
    """Show a preset: its arguments and training recipe as JSON, and a drawing of its graph."""
    _start_keras()
    from kerasep import zoo
    from kerasep.zoo.drawing import draw

    card = zoo.describe(name)
    _say(f"{card['name']}: {card['description']}\n")
    out.print_json(data={key: card[key] for key in card if key not in ("name", "description")})
    _say(f"\n{draw(zoo.load(name))}")


@app.command("import")
def import_weights(
    checkpoint: Annotated[
        pathlib.Path, typer.Argument(help="the file that another project published, or its folder")
    ],
    entry: Annotated[str, typer.Option("--as", help="the preset that it belongs to")],
    out_file: Annotated[
        pathlib.Path, typer.Option("--out", help="the .weights.h5 file to write, or .keras")
    ],
    sources: Names = None,
    overwrite: Overwrite = False,
):
    """Convert another project's checkpoint: Open-Unmix, Asteroid, Demucs, Spleeter or nussl.

    Nothing in the file is run, and the other project need not be installed. A .keras file holds the
    whole model, which kerasep separate --model takes.
    """
    _start_keras()
    from kerasep import importers, zoo

    if not out_file.name.endswith((".weights.h5", ".keras")):
        raise InputError(
            f"received --out {out_file}, expected a name that ends in .weights.h5 or .keras"
        )
    if out_file.exists() and not overwrite:
        raise InputError(f"{out_file} exists: choose another name, or --overwrite")
    if not out_file.parent.is_dir():
        raise InputError(f"there is no folder {out_file.parent}: make it first")
    model = zoo.load(entry, **_named(sources))
    importers.load(model, checkpoint)
    if out_file.suffix == ".keras":
        model.save(out_file, overwrite=True)
    else:
        model.save_weights(out_file, overwrite=True)
    _say(f"{out_file}: {model.count_params():,} weights, {', '.join(model.sources)}")


@app.command()
def train(
    name: Annotated[str, typer.Argument(help="a preset's name")],
    data: Annotated[pathlib.Path, typer.Option(help="folder of tracks, one file a stem in each")],
    out_folder: Annotated[pathlib.Path, typer.Option("--out", help="the run's folder")],
    valid: Annotated[
        pathlib.Path | None,
        typer.Option(help="tracks to validate on; default: every tenth of --data"),
    ] = None,
    sources: Names = None,
    sample_rate: Annotated[int | None, typer.Option(min=1, help="in Hz")] = None,
    channels: Annotated[int | None, typer.Option(min=1, help="1 mono, 2 stereo")] = None,
    weights: Annotated[
        pathlib.Path | None, typer.Option(help="start from these weights, of the same model")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="at most this many")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="crops in a batch")] = None,
    crop_seconds: Annotated[float | None, typer.Option(help="length of a crop")] = None,
    crops_per_track: Annotated[
        int | None, typer.Option(min=1, help="crops of a track in an epoch")
    ] = None,
    max_minutes: Annotated[float | None, typer.Option(help="stop at about this time")] = None,
    seed: Annotated[int, typer.Option(min=0, help="of weights, crops and mixing")] = 0,
):
    """Train a preset on a folder of tracks; the same command again goes on after a kill.

    The other settings come from the preset's recipe (kerasep show NAME). The run's folder gets
    model.keras (the best weights), history.csv, recipe.json and logs for TensorBoard.
    """
    _start_keras()
    import keras

    from kerasep import training, zoo
    from kerasep.progress import FitProgress

    keras.utils.set_random_seed(seed)
    overrides = _given(sample_rate=sample_rate, channels=channels) | _named(sources)
    model = zoo.load(name, weights=weights, **overrides)
    settings = _given(
        batch_size=batch_size, crop_seconds=crop_seconds, crops_per_track=crops_per_track
    )
    _say(f"{name}: {model.count_params():,} parameters, {', '.join(model.sources)}")
    _say("first, the level of every frequency in the training data")
    with contextlib.closing(FitProgress(out)) as progress:
        history = training.train(
            model,
            data,
            out_folder,
            valid,
            recipe=_given(epochs=epochs) | {"data": settings},
            seed=seed,
            max_minutes=max_minutes,
            callbacks=[progress],
        )
    minutes = history[-1]["seconds"] / 60
    _say(f"{out_folder / 'model.keras'}: {len(history)} epochs in {minutes:.1f} minutes")


@app.command()
def separate(
    files: Annotated[list[pathlib.Path], typer.Argument(help="audio files of any kind and length")],
    model: ModelOption,
    out_folder: Annotated[
        pathlib.Path, typer.Option("--out", help="gets a folder for each file, with its stems")
    ],
    suffix: Annotated[str, typer.Option(help=".wav, .flac or .ogg")] = ".wav",
    wiener_iterations: Wiener = 0,
    residual: Residual = None,
    overwrite: Overwrite = False,
):
    """Separate recordings into one file a source: OUT/<name>/<source>.wav."""
    if not model.endswith(".tflite"):
        _start_keras()
    from kerasep import recordings

    separator = _separator(_trained(model), wiener_iterations, residual)
    names = [file.stem for file in files]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise InputError(
            f"received several files called {', '.join(sorted(twice))}, expected different names: "
            f"separate them into different folders"
        )
    settings = {
        "suffix": suffix if suffix.startswith(".") else f".{suffix}",
        "overwrite": overwrite,
    }
    for file in files:  # before the first of them takes its time
        recordings.planned(separator, file, out_folder / file.stem, **settings)
    for file in files:
        with _progress(file.name) as progress:
            paths = recordings.separate_file(
                _chunked(separator), file, out_folder / file.stem, **settings, progress=progress
            )
        _say("\n".join(str(path) for path in paths.values()))


@app.command()
def evaluate(
    model: ModelOption,
    data: Annotated[pathlib.Path, typer.Option(help="folder of tracks, one file a stem in each")],
    csv: Annotated[pathlib.Path, typer.Option(help="gets the whole table")] = pathlib.Path(
        "scores.csv"
    ),
    measures: Annotated[
        str,
        typer.Option(
            help="joined by commas: si_sdr, si_snr, sd_sdr, snr, usdr, bss_sdr, bss_isr, bss_sir, "
            "bss_sar; bss_eval for the last four"
        ),
    ] = "si_sdr,usdr",
    wiener_iterations: Wiener = 0,
    residual: Residual = None,
    oracles: Annotated[bool, typer.Option(help="score the ideal masks too")] = True,
    overwrite: Overwrite = False,
):
    """Score a model on a folder of tracks, beside the mixture and the ideal masks."""
    _start_keras()
    from kerasep import evaluation
    from kerasep.metrics import check_measures
    from kerasep.score_tables import score_tables

    chosen = check_measures([name.strip() for name in measures.split(",")])
    if csv.exists() and not overwrite:
        raise InputError(f"received --csv {csv}, which exists: choose another, or --overwrite")
    if not csv.parent.is_dir():
        raise InputError(
            f"received --csv {csv}, but there is no folder {csv.parent}: make it first"
        )
    separator = _separator(_trained(model), wiener_iterations, residual)
    with _progress("scoring") as progress:
        rows = evaluation.evaluate(
            separator, data, measures=chosen, oracles=oracles, progress=progress
        )
    evaluation.write_csv(rows, csv)
    for line, table in score_tables(rows + evaluation.summarise(rows), chosen):
        _say(line)
        out.print(table)
    _say(f"{csv}: {len(rows)} rows")


@app.command()
def export(
    model: ModelOption,
    out_file: Annotated[pathlib.Path, typer.Option("--out", help="the .tflite file")],
    seconds: Annotated[float, typer.Option(help="length of the waveform that it takes")] = 6.0,
    wiener_iterations: Wiener = 0,
    residual: Residual = None,
    overwrite: Overwrite = False,
):
    """Export a model as a .tflite file from waveform to waveforms, checked against Keras."""
    _start_keras()
    from kerasep import tflite

    if model.endswith(".tflite"):
        raise InputError(f"received --model {model}, which is exported already: give the model")
    separator = _separator(_trained(model), wiener_iterations, residual)
    with out.status("converting and comparing with Keras"):
        report = tflite.export(separator, out_file, seconds, overwrite=overwrite)
    _say(str(report))


@app.command()
def demo(
    out_folder: Annotated[pathlib.Path, typer.Option("--out", help="gets all results")] = (
        pathlib.Path("demo")
    ),
    minutes: Annotated[float, typer.Option(help="of training")] = 1.5,
    overwrite: Overwrite = False,
):
    """Make songs; train, score and export a small model; write a page that shows it all."""
    _start_keras()
    from kerasep import demo as demonstration

    page = demonstration.run(out_folder, minutes, out, overwrite=overwrite)
    _say(f"open {page} in a browser")


def _say(text):
    """Print text as it is: rich would break long paths, and take brackets in them for markup."""
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def _trained(name):
    """Load a model that has learned something."""
    if name.endswith(".tflite"):
        from kerasep import tflite

        return tflite.Runtime(name)
    from kerasep import zoo

    if pathlib.Path(name).exists() or name.endswith(".keras"):
        return zoo.load(name)
    card = zoo.describe(name)
    if not card["weights"]:
        raise InputError(
            f"received preset {card['name']}, which has no published weights: train it first "
            f"(kerasep train {name} --data FOLDER --out RUN), then give --model RUN"
        )
    with _progress("downloading") as progress:
        return zoo.load(name, weights=True, progress=progress)


def _separator(model, wiener_iterations, residual):
    if not hasattr(model, "domain"):  # an exported file, which is a separator already
        if wiener_iterations or residual:
            raise InputError(
                "received --wiener-iterations or --residual for a .tflite file, expected them when "
                "it was exported"
            )
        return model
    from kerasep.separator import Separator

    return Separator(model, wiener_iterations, residual)


def _chunked(separator):
    if hasattr(separator, "chunk_separator"):
        return separator.chunk_separator()
    from kerasep import separation

    return separation.chunk_separator(separator)


def _named(sources):
    return {} if sources is None else {"sources": [name.strip() for name in sources.split(",")]}


def _given(**options):
    return {key: value for key, value in options.items() if value is not None}


@contextlib.contextmanager
def _progress(title):
    """A bar, and the function that moves it."""
    with Progress(console=out, transient=True, disable=not out.is_terminal) as progress:
        task = progress.add_task(escape(title), total=1.0)
        yield lambda share: progress.update(task, completed=share)


def _start_keras():
    """Import Keras with its backend's start-up lines kept off the terminal."""
    from kerasep.tflite.silence import quiet

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with quiet():
        import keras

        keras.ops.zeros(1)  # devices are looked for, and complained about, at the first tensor


def _fail(message, status):
    Console(stderr=True, soft_wrap=True).print(f"kerasep: {message}", highlight=False, markup=False)
    sys.exit(status)
