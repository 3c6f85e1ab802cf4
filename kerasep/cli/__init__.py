"""The command line, one file per command: `kerasep COMMAND --help` describes each."""

import contextlib
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from kerasep import __version__
from kerasep.cli.bench import bench
from kerasep.cli.data_check import data_check
from kerasep.cli.data_serve import data_serve
from kerasep.cli.demo import demo
from kerasep.cli.evaluate import evaluate
from kerasep.cli.export import export
from kerasep.cli.import_weights import import_weights
from kerasep.cli.list_entries import list_entries
from kerasep.cli.prepare import prepare
from kerasep.cli.separate import separate
from kerasep.cli.show import show
from kerasep.cli.stream import stream
from kerasep.cli.terminal import fail, show_log
from kerasep.cli.train import train
from kerasep.errors import InputError
from kerasep.system.console import print_anything
from kerasep.system.stop_signals import like_ctrl_c

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help has room for long options at 80 columns
)
UsageError = typer.BadParameter.__base__  # click's or typer's own, depending on the release
COMMANDS: dict[str, Callable] = {
    "list": list_entries,
    "show": show,
    "import": import_weights,
    "prepare": prepare,
    "train": train,
    "separate": separate,
    "stream": stream,
    "evaluate": evaluate,
    "export": export,
    "bench": bench,
    "demo": demo,
}
# Where the first sentence of a command's help is too long for the list of commands.
SUMMARIES = {
    "list": "List the presets, with size, cost, latency, score and licence.",
    "show": "Show the card of a preset.",
    "import": "Convert a checkpoint of another project.",
    "prepare": "Write tracks as shards, which training reads faster.",
    "separate": "Separate recordings into one file per source.",
    "stream": "Separate a file or a microphone in real time.",
    "evaluate": "Score a model on a data set.",
    "export": "Export a model as a .tflite file.",
    "bench": "Measure the time, memory and size of an exported file.",
    "demo": "Train, score and export a small model, and write a page.",
    "serve": "Read and mix training data for other machines.",
}
DATA_COMMANDS: dict[str, Callable] = {
    "check": data_check,
    "serve": data_serve,
}


def _print_version(is_asked: bool):
    if is_asked:
        typer.echo(f"kerasep {__version__}")
        raise typer.Exit()


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="print the version and exit"
        ),
    ] = False,
):
    """Audio source separation in Keras: train, separate, evaluate, export to a phone."""


# These commands keep what they have done when they are stopped.
_RESUMED = ("prepare", "separate", "train")

for name, command in COMMANDS.items():
    app.command(name, short_help=SUMMARIES.get(name))(command)
data = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Check data sets, and serve training data.",
)
for name, command in DATA_COMMANDS.items():
    data.command(name, short_help=SUMMARIES.get(name))(command)
app.add_typer(data, name="data")


def main():
    """Run the command line and exit; an error is one line, with status 2.

    Ctrl-C, SIGTERM and SIGHUP stop a command and clean up, with status 130, 143 and 129.
    """
    print_anything()
    show_log()
    with like_ctrl_c() as stopped_status:
        _run(stopped_status)


def _run(stopped_status):
    try:
        status = app(standalone_mode=False)
    except InputError as error:
        fail(str(error), 2)
    except (KeyboardInterrupt, typer.Abort):
        status = 130  # some releases of Typer return 130 instead of raising
    except OSError as error:
        fail(f"{error.filename or 'a file'}: {error.strerror or error}", 2)
    except UsageError as error:
        if error.format_message().startswith("Usage: "):  # no command: the message is the help
            typer.echo(error.format_message())
            sys.exit(2)
        fail(f"{error.format_message()} (see kerasep --help)", 2)
    if status == 130:
        with contextlib.suppress(OSError):  # the terminal may be gone
            resumes = sys.argv[1:2] and sys.argv[1] in _RESUMED
            hint = ": run the same command again to resume" if resumes else ""
            fail(f"stopped{hint}", stopped_status())
        status = stopped_status()
    sys.exit(status)
