"""A training run on disk: best model, history, and the state from which it can go on."""

import json
import math
import os
import pathlib
import time

import keras

from kerasep.averages import averaged
from kerasep.errors import InputError
from kerasep.recovery import NotFiniteError
from kerasep.run_state import RunState, capture, is_finite, restore
from kerasep.text_files import read_text, write_table

MODEL, HISTORY, SETTINGS, STATE = "model.keras", "history.csv", "recipe.json", "state.npz"


class RunFolder(keras.callbacks.Callback):
    """Keeps a run's folder, and takes training up where the folder's state left it.

    The state is one file, replaced by a complete one after every epoch and every few minutes
    within. So whenever the process is killed, there is a whole state to go on from; the history
    and the best model are written before it, and come out the same when they are written again.

    Args:
        path: the folder.
        monitor: the logged value whose minimum makes the best model.
        epochs: how many the run has at most.
        max_minutes: end the run at this time, or after the epoch before it, or None.
        save_minutes: how much of the work within an epoch a kill may cost.
        writes: whether this process writes, as only the first of several does.
    """

    def __init__(self, path, monitor, epochs, max_minutes=None, save_minutes=5.0, writes=True):
        super().__init__()
        self.path = pathlib.Path(path)
        self.monitor = monitor
        self.epochs = epochs
        self.max_minutes = max_minutes
        self.save_minutes = save_minutes
        self.writes = writes
        self.state = None
        self.watchers = []
        self.pending = None

    @property
    def history(self):
        """A dict for each whole epoch."""
        return self.state.history

    def start(self, model, settings):
        """Look into the folder for a run to go on with; nothing is written yet.

        Args:
            model: the model that will be trained.
            settings: what a run must have in common with the one that it goes on from.

        Returns:
            The state to go on from, or None for a new run.

        Raises:
            InputError: when the folder holds something else, a finished run, or one of other
                settings.
        """
        about = {"model": type(model).__name__, "arguments": model.get_config()}
        settings = json.loads(json.dumps({**settings, "monitor": self.monitor, **about}))
        self.settings = settings
        earlier = self._read_settings()
        if earlier and (self.path / STATE).is_file():
            differing = sorted(key for key in settings if settings[key] != earlier.get(key))
            if differing:
                raise InputError(
                    f"received --out {self.path}, which holds a run with another "
                    f"{', '.join(differing)}: choose another folder, or go on with its own settings"
                )
            return RunState.read(self.path / STATE)
        if earlier and (self.path / HISTORY).is_file():
            raise InputError(
                f"received --out {self.path}, which holds a finished run: choose another folder"
            )
        if not earlier and self.path.is_dir() and any(self.path.iterdir()):
            raise InputError(
                f"received --out {self.path}, which holds other files: choose another folder"
            )
        # What is left is a new folder, or a run that had no time to begin.
        return None

    def begin(self, model, state):
        """Take up a state, and write the folder where the run is new.

        Args:
            model: the model that will be trained; a copy of it holds the best weights.
            state: from `start`, or a new one.
        """
        self.best_model = type(model).from_config(model.get_config())
        self.before, self.began = state.seconds, time.monotonic()
        self.resume(state)
        if self.writes and not (state.epoch or state.step):
            self.path.mkdir(parents=True, exist_ok=True)
            text = json.dumps({**self.settings, "batch_size": state.batch_size}, indent=2)
            self._replace(self.path / SETTINGS, lambda path: path.write_text(text, "utf-8"))
            self.write()

    def resume(self, state):
        """Go on from a state when training begins next."""
        self.state, self.pending = state, state.arrays

    def last_state(self):
        """Read the state that was written last."""
        return RunState.read(self.path / STATE)

    def write(self):
        """Write the state."""
        if self.writes:
            self._replace(self.path / STATE, self.state.write)
        self.state.arrays = {}  # three times the weights, which the file now has
        self.saved = time.monotonic()

    def replayed(self, watchers):
        """Name the callbacks that are shown the history again when a run goes on.

        Args:
            watchers: callbacks whose state follows from the logs alone.

        Returns:
            The same callbacks.
        """
        self.watchers = list(watchers)
        return self.watchers

    def on_train_begin(self, logs=None):
        """Restore the state."""
        self.best = min((row[self.monitor] for row in self.history), default=math.inf)
        optimizer = self.model.optimizer
        rate = keras.ops.convert_to_numpy(optimizer.learning_rate)
        for epoch, row in enumerate(self.history):
            for watcher in self.watchers:
                watcher.on_epoch_end(epoch, dict(row))
        if keras.ops.convert_to_numpy(optimizer.learning_rate) != rate:
            optimizer.learning_rate = rate
        if self.pending:
            restore(self.model, self.pending)
        self.saved = time.monotonic()

    def on_epoch_begin(self, epoch, logs=None):
        """Go on with the running metrics of an epoch that was begun before."""
        if self.pending and self.state.step:
            restore(self.model, self.pending, kinds=["metric"])
        self.pending = None
        self.first = self.state.step * self.state.parts

    def on_train_batch_end(self, batch, logs=None):
        """Write the state when it is time; end the epoch where time has run out within it."""
        if not math.isfinite(logs["loss"]):
            raise NotFiniteError(f"loss {logs['loss']} in epoch {self.state.epoch + 1}")
        done = self.first + batch + 1
        if done % self.state.parts:
            return
        if self.max_minutes is not None and self._seconds() > 60 * self.max_minutes:
            self.model.stop_training = True
        elif (
            self.writes
            and time.monotonic() - self.saved >= 60 * self.save_minutes
            and batch + 1 != self.params["steps"]  # then on_epoch_end does it
            and self._advance(self.state.epoch, done // self.state.parts)
        ):
            self.write()

    def on_epoch_end(self, epoch, logs=None):
        """Write the model where it is the best so far, the history, and the state."""
        loss = float(logs[self.monitor])
        if not math.isfinite(loss):
            raise NotFiniteError(f"{self.monitor} {loss} in epoch {epoch + 1}")
        seconds = self._seconds()
        taken = seconds - (self.history[-1]["seconds"] if self.history else 0.0)
        if self.max_minutes is not None and seconds + taken > 60 * self.max_minutes:
            self.model.stop_training = True
        if not self._advance(epoch + 1, 0):
            raise NotFiniteError(f"weights that are not finite in epoch {epoch + 1}")
        self.state.finished = self.model.stop_training or epoch + 1 == self.epochs
        row = {"epoch": epoch + 1, "seconds": round(seconds, 1)}
        self.history.append(row | {key: float(value) for key, value in logs.items()})
        if loss < self.best:
            self.best = loss
            self._write_model()
        # The state first: what the history shows can be gone on from.
        self.write()
        self._write_history()

    def finish(self):
        """Remove the state of a run that has come to its end."""
        if self.writes:
            self._write_history()
            for leftover in [self.path / STATE, *self.path.glob(".partial.*")]:
                leftover.unlink(missing_ok=True)

    def _advance(self, epoch, step):
        """Take the state of the model, that far in the run, unless a weight is not finite."""
        arrays = capture(self.model)
        if not is_finite(arrays):
            return False
        self.state.arrays = arrays
        self.state.epoch, self.state.step, self.state.seconds = epoch, step, self._seconds()
        return True

    def _seconds(self):
        """How long the run has taken, parts before a kill included."""
        return self.before + time.monotonic() - self.began

    def _write_model(self):
        # In a copy, since a compiled model would take its optimizer along: three times the size.
        with averaged(self.model):
            self.best_model.set_weights(self.model.get_weights())
        if self.writes:
            self._replace(self.path / MODEL, self.best_model.save)

    def _write_history(self):
        if self.writes and self.history:
            self._replace(self.path / HISTORY, self._write_rows)

    def _write_rows(self, path):
        write_table(path, self.history)

    def _replace(self, path, write):
        """Write a file completely, or leave the old one as it is."""
        temporary = path.with_name(f".partial.{path.name}")
        try:
            write(temporary)
            os.replace(temporary, path)
        except OSError as error:  # from h5py it does not say which file
            raise InputError(f"cannot write {path}: {error.strerror or error}") from error
        finally:
            temporary.unlink(missing_ok=True)

    def _read_settings(self):
        """Read the settings of a run of ours, or nothing."""
        try:
            settings = json.loads(read_text(self.path / SETTINGS))
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None
        return settings if isinstance(settings, dict) and "kerasep" in settings else None
