"""Output of the commands on the terminal: lines, progress bars and errors."""

import contextlib
import gc
import logging
import os
import sys

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from kerasep.errors import installed_by
from kerasep.system.collections import no_collections
from kerasep.system.console import print_line
from kerasep.system.names import one_line

out = Console()


def say(text):
    """Print text as one line, without markup."""
    print_line(out, text)


def say_lines(text):
    """Print the lines of a text without markup."""
    for line in text.splitlines():
        say(line)


class _Lines(logging.Handler):
    """Prints records of the log."""

    def emit(self, record):
        say(record.getMessage())


def show_log():
    """Print the library's log on the terminal, from level INFO up."""
    logger = logging.getLogger("kerasep")
    logger.setLevel(logging.INFO)
    if not any(isinstance(handler, _Lines) for handler in logger.handlers):
        logger.addHandler(_Lines())


@contextlib.contextmanager
def progress_bar(title):
    """Show a progress bar; yield the function that sets it, from 0 to 1."""
    columns = (
        SpinnerColumn(),  # moves before the first part is done
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as progress:
        task = progress.add_task(one_line(title), total=1.0)
        yield lambda share: progress.update(task, completed=share)


@contextlib.contextmanager
def spinner(text):
    """Show a line that moves, until the work is done."""
    with out.status(escape(one_line(text))):
        yield


def start_keras(join_hosts=False):
    """Import Keras without the start-up messages of its backend, as fast as it goes.

    Keras would import matplotlib, and TensorFlow JAX, for functions that no command calls.
    """
    from kerasep.tflite.silence import quiet

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    package = "kerasep[jax]" if backend == "jax" else backend
    unneeded = ["matplotlib"] if backend == "jax" else ["matplotlib", "jax"]
    with (
        spinner("starting Keras"),
        quiet(),
        _few_collections(),
        _without(unneeded),
        installed_by(package),
    ):
        import keras

        if join_hosts:
            from kerasep.training import devices

            devices.join_hosts()
        keras.ops.zeros(1)  # backends look for devices, and print warnings, at the first tensor


@contextlib.contextmanager
def _few_collections():
    """Import without garbage collection, which would look at all new modules again and again."""
    with no_collections():
        try:
            yield
        finally:
            gc.freeze()  # modules stay until the end, also through the collection at exit


@contextlib.contextmanager
def _without(packages):
    """Import other packages without some that they would import if they are there."""
    hidden = [package for package in packages if package not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for package in hidden:
            del sys.modules[package]


def fail(message, status):
    """Exit with a status, after one line on standard error."""
    print_line(Console(stderr=True), f"kerasep: {message}")
    sys.exit(status)
