"""Progress of training on the terminal."""

import math
import time

import keras
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


class FitProgress(keras.callbacks.Callback):
    """Show a bar over the batches of each epoch, and print a line after each epoch.

    The epochs with the best `monitor` so far are marked. Keras does not call `on_train_end` when
    training fails or is stopped: call `close` then, or the terminal's cursor stays hidden.
    """

    def __init__(self, console: Console, monitor: str = "val_loss"):
        super().__init__()
        self.console = console
        self.monitor = monitor
        self.sign = 1 if monitor.endswith("loss") else -1
        self.best = math.inf
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}  loss {task.fields[loss]:.4f}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    def on_train_begin(self, logs=None):
        """Show the bar."""
        for task in self.progress.task_ids:  # of an epoch that failed
            self.progress.remove_task(task)
        self.progress.start()

    def on_epoch_begin(self, epoch, logs=None):
        """Start a new bar."""
        self.began = time.monotonic()
        self.task = self.progress.add_task(
            f"epoch {epoch + 1}/{self.params['epochs']}",
            total=self.params["steps"],
            loss=math.nan,
        )

    def on_train_batch_end(self, batch, logs=None):
        """Move the bar."""
        self.progress.update(self.task, completed=batch + 1, loss=float(logs["loss"]))

    def on_epoch_end(self, epoch, logs=None):
        """Print the epoch's line."""
        self.progress.remove_task(self.task)
        line = f"epoch {epoch + 1:4d}/{self.params['epochs']}  loss {logs['loss']:.4f}"
        if self.monitor in logs:
            value = float(logs[self.monitor])
            is_best = self.sign * value < self.best
            line += f"  {self.monitor} {value:.4f}{' *' if is_best else '  '}"
            self.best = min(self.best, self.sign * value)
        self.console.print(f"{line}  {time.monotonic() - self.began:.1f} s", highlight=False)

    def close(self, logs=None):
        """Remove the bar."""
        self.progress.stop()

    on_train_end = close
