"""Output of the commands on the terminal: lines, progress bars and errors."""

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
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as progress:
        task = progress.add_task(one_line(title), total=1.0)
        yield lambda share: progress.update(task, completed=share)


def start_keras(join_hosts=False):
    """Import Keras without the start-up messages of its backend."""
    from kerasep.tflite.silence import quiet

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with quiet():
        import keras

        if join_hosts:
            from kerasep.training import devices

            devices.join_hosts()
        keras.ops.zeros(1)  # backends look for devices, and print warnings, at the first tensor


def fail(message, status):
    """Exit with a status, after one line on standard error."""
    print_line(Console(stderr=True), f"kerasep: {message}")
    sys.exit(status)
