"""What the commands say on the terminal: lines, bars and errors."""

import contextlib
import logging
import os
import sys

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

out = Console()


def say(text):
    """Print text as it is: rich would break long paths, and take brackets in them for markup."""
    out.print(text, markup=False, highlight=False, soft_wrap=True)


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
    with Progress(console=out, transient=True, disable=not out.is_terminal) as progress:
        task = progress.add_task(escape(title), total=1.0)
        yield lambda share: progress.update(task, completed=share)


def start_keras():
    """Import Keras with its backend's start-up lines kept off the terminal."""
    from kerasep.tflite.silence import quiet

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with quiet():
        import keras

        keras.ops.zeros(1)  # devices are looked for, and complained about, at the first tensor


def fail(message, status):
    """End the program with a line that says why."""
    Console(stderr=True, soft_wrap=True).print(f"kerasep: {message}", highlight=False, markup=False)
    sys.exit(status)
