"""A training run on disk: best model, history, and the state from which it can go on."""

import csv
import json
import math
import os
import pathlib
import time

import keras

from kerasep.errors import InputError

MODEL, HISTORY, SETTINGS = "model.keras", "history.csv", "recipe.json"


class RunFolder(keras.callbacks.Callback):
    """Keeps a run's folder, and takes training up where the folder's last whole epoch left it.

    After every epoch the weights and the optimizer's state are written under the epoch's number,
    then the history with that epoch in it, each by renaming a complete file: so whenever the
    process is killed, the history's length names a state that is there.

    Args:
        path: the folder.
        monitor: the logged value whose minimum makes the best model.
        max_minutes: end the run at this time, or after the epoch before it, or None.
    """

    def __init__(self, path, monitor, max_minutes=None):
        super().__init__()
        self.path = pathlib.Path(path)
        self.monitor = monitor
        self.max_minutes = max_minutes
        self.history = []
        self.watchers = []

    def start(self, model, settings):
        """Look into the folder for a run to go on with; nothing is written yet.

        Args:
            model: the model that will be trained.
            settings: what a run must have in common with the one that it goes on from.

        Raises:
            InputError: when the folder holds something else, a finished run, or one of other
                settings.
        """
        about = {"model": type(model).__name__, "arguments": model.get_config()}
        settings = json.loads(json.dumps({**settings, "monitor": self.monitor, **about}))
        self.settings = settings
        earlier = self._read_settings()
        if earlier and (self.path / HISTORY).is_file():
            differing = sorted(key for key in settings if settings[key] != earlier.get(key))
            if not self._states():
                raise InputError(
                    f"received --out {self.path}, which holds a finished run: choose another folder"
                )
            if differing:
                raise InputError(
                    f"received --out {self.path}, which holds a run with another "
                    f"{', '.join(differing)}: choose another folder, or go on with its own settings"
                )
            self.history = self._read_history()
        elif not earlier and self.path.is_dir() and any(self.path.iterdir()):
            raise InputError(
                f"received --out {self.path}, which holds other files: choose another folder"
            )
        # What is left is a new folder, or a run without a whole epoch: it has nothing to lose.

    def write_settings(self):
        """Make the folder, with the run's settings in it."""
        self.path.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.settings, indent=2)
        self._replace(self.path / SETTINGS, lambda path: path.write_text(text, "utf-8"))

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
        """Restore the state after the last whole epoch."""
        self.best = min((row[self.monitor] for row in self.history), default=math.inf)
        for epoch, row in enumerate(self.history):
            for watcher in self.watchers:
                watcher.on_epoch_end(epoch, dict(row))
        if self.history:
            # Unbuilt, the optimizer would be left out of what is loaded.
            self.model.optimizer.build(self.model.trainable_variables)
            self.model.load_weights(self._state(len(self.history)))
        self.before = self.history[-1]["seconds"] if self.history else 0.0
        self.began = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        """End the epoch where time has run out within it."""
        if self.max_minutes is not None and self._seconds() > 60 * self.max_minutes:
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        """Write the state, the history, and the model where it is the best so far."""
        loss = float(logs[self.monitor])
        if not math.isfinite(loss):
            raise InputError(
                f"received {self.monitor} {loss} in epoch {epoch + 1}: lower the learning rate or "
                f"the clipping norm; {self.path} keeps the state before it"
            )
        if loss < self.best:
            self.best = loss
            self._replace(self.path / MODEL, self._save_model)
        seconds = self._seconds()
        taken = seconds - (self.history[-1]["seconds"] if self.history else 0.0)
        row = {"epoch": epoch + 1, "seconds": round(seconds, 1)}
        self.history.append(row | {key: float(value) for key, value in logs.items()})
        state = self._state(len(self.history))
        self._replace(state, self.model.save_weights)
        self._replace(self.path / HISTORY, self._write_history)
        for old in self._states():
            if old != state:
                old.unlink()
        if self.max_minutes is not None and seconds + taken > 60 * self.max_minutes:
            self.model.stop_training = True

    def finish(self):
        """Remove the state of a run that has come to its end."""
        for leftover in [*self._states(), *self.path.glob(".partial.*")]:
            leftover.unlink()

    def _seconds(self):
        """How long the run has taken, parts before a kill included."""
        return self.before + time.monotonic() - self.began

    def _state(self, epoch):
        return self.path / f"epoch_{epoch:05d}.weights.h5"

    def _states(self):
        return sorted(self.path.glob("epoch_*.weights.h5"))

    def _save_model(self, path):
        # A copy, since a compiled model would take its optimizer along: three times the size.
        copy = type(self.model).from_config(self.model.get_config())
        copy.set_weights(self.model.get_weights())
        copy.save(path)

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
            settings = json.loads((self.path / SETTINGS).read_text("utf-8"))
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None
        return settings if isinstance(settings, dict) and "kerasep" in settings else None

    def _write_history(self, path):
        with open(path, "w", newline="") as file:
            writer = csv.DictWriter(file, self.history[0])
            writer.writeheader()
            writer.writerows(self.history)

    def _read_history(self):
        with open(self.path / HISTORY, newline="") as file:
            rows = [
                {key: float(value) for key, value in row.items()} for row in csv.DictReader(file)
            ]
        return [{**row, "epoch": int(row["epoch"])} for row in rows]
