"""What the commands say on the terminal: lines, bars and errors."""

import contextlib
import logging
import os
import sys

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from kerasep.system.console import print_line
from kerasep.system.names import one_line

out = Console()


def say(text):
    """Print a line of text as it is, names in it included."""
    print_line(out, text)


def say_lines(text):
    """Print the lines of a text, as `say` does."""
    for line in text.splitlines():
        say(line)


class _Lines(logging.Handler):
    """Says what the library logs: what it recognised, and what it left aside."""

    def emit(self, record):
        say(record.getMessage())


def show_log():
    """Show the library's log, from its notices up, as lines on the terminal."""
    logger = logging.getLogger("kerasep")
    logger.setLevel(logging.INFO)
    if not any(isinstance(handler, _Lines) for handler in logger.handlers):
        logger.addHandler(_Lines())


@contextlib.contextmanager
def progress_bar(title):
    """A bar, and the function that moves it."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as progress:
        task = progress.add_task(one_line(title), total=1.0)
        yield lambda share: progress.update(task, completed=share)


def start_keras(join_hosts=False):
    """Import Keras with its backend's start-up lines kept off the terminal."""
    from kerasep.tflite.silence import quiet

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with quiet():
        import keras

        if join_hosts:
            from kerasep.training import devices

            devices.join_hosts()
        keras.ops.zeros(1)  # devices are looked for, and complained about, at the first tensor


def fail(message, status):
    """End the program with a line that says why."""
    print_line(Console(stderr=True), f"kerasep: {message}")
    sys.exit(status)
