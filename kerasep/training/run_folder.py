"""A training run on disk: best model, history, and the state from which it can go on."""

import json
import math
import os
import pathlib
import re
import time
import zipfile

import keras

from kerasep import __version__
from kerasep.errors import InputError
from kerasep.files.text_files import read_text, write_table
from kerasep.system import logs
from kerasep.training.averages import averaged
from kerasep.training.callback_state import CallbackStates
from kerasep.training.recovery import NotFiniteError
from kerasep.training.run_state import RunState, capture, check_fits, is_finite, restore

log = logs.logger(__name__)

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
        self.others = []
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
        about |= {"monitor": self.monitor, "kerasep": __version__}
        self.settings = settings = json.loads(json.dumps({**settings, **about}))
        earlier = self._read_settings()
        if earlier and (self.path / STATE).is_file():
            differing = [key for key in settings if settings[key] != earlier.get(key)]
            differing = sorted({*differing} - {"kerasep"})
            if differing:
                raise InputError(
                    f"received --out {self.path}, which holds a run with another "
                    f"{', '.join(differing)}: choose another folder, or go on with its own settings"
                )
            self._check_release(earlier["kerasep"])
            return self._checked(RunState.read(self.path / STATE), model, earlier)
        if earlier and any((self.path / name).is_file() for name in (HISTORY, MODEL)):
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
            try:
                self.path.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise InputError(
                    f"received --out {self.path}, where no folder can be made: {error.strerror}"
                ) from error
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

    def among(self, before, after):
        """Order the callbacks of a fit.

        The folder looks at each batch before callbacks that may stop training there; an epoch is
        over, and the state that belongs to it complete, only after all of them.

        Args:
            before: callbacks that are to see a batch before the folder.
            after: the others.

        Returns:
            List of Keras callbacks.
        """
        self.others = [*before, *after]
        ends = keras.callbacks.LambdaCallback(
            on_train_begin=self._begin,
            on_epoch_begin=self._begin_epoch,
            on_epoch_end=self._end_epoch,
        )
        return [*before, self, *after, ends]

    def _begin(self, _logs):
        """Restore the state."""
        self.best = min((row[self.monitor] for row in self.history), default=math.inf)
        self.callback_states = CallbackStates(self.others)
        if self.pending:
            self.callback_states.restore(self.state.callbacks, self.pending)
            restore(self.model, self.pending)
        self.saved = time.monotonic()

    def _begin_epoch(self, _epoch, _logs):
        """Undo what is done at the beginning of an epoch where this one was begun before."""
        if self.pending and self.state.step:
            restore(self.model, self.pending)
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
            and not self.model.stop_training  # likewise
            and self._advance(self.state.epoch, done // self.state.parts)
        ):
            self.write()

    def _end_epoch(self, epoch, logs):
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
        self.state.callbacks, kept = self.callback_states.capture()
        self.state.arrays = arrays | kept
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

    def _check_release(self, earlier):
        """Validate that a run of another release of kerasep can go on with this one.

        The settings, the model and the state are compared for themselves. Of the releases only
        those count between which training may have changed.
        """
        ours, theirs = _release(__version__), _release(earlier)
        if theirs is None or ours[0] != theirs[0]:
            raise InputError(
                f"received --out {self.path}, which holds a run of kerasep {str(earlier)[:40]}, "
                f"expected one of kerasep {ours[0]}: go on with that release, or choose another "
                f"folder"
            )
        if ours[:2] != theirs[:2]:
            log.warning(
                "%s was begun with kerasep %s and goes on with %s: the results may differ from "
                "those of one release",
                self.path, earlier, __version__,
            )  # fmt: skip

    def _checked(self, state, model, earlier):
        """Validate a state against the run's settings and its model."""
        path = self.path / MODEL
        if state.history and not zipfile.is_zipfile(path):
            wrong = "damaged" if path.exists() else "missing"
            raise InputError(
                f"received {path}, which is {wrong}: remove its folder and start again"
            )
        try:
            if state.batch_size != earlier.get("batch_size"):
                raise ValueError(f"its batches are of {state.batch_size}, not those of {SETTINGS}")
            if state.epoch > self.epochs or (state.epoch == self.epochs and not state.finished):
                raise ValueError(f"its epoch is {state.epoch} of {self.epochs}")
            if state.history and self.monitor not in state.history[0]:
                raise ValueError(f"its history has no {self.monitor}")
            check_fits(model, state.arrays)
        except ValueError as error:
            raise InputError(
                f"received {self.path / STATE}, which is damaged ({error}): remove its folder and "
                f"start again"
            ) from error
        return state

    def _read_settings(self):
        """Read the settings of a run of ours, or nothing."""
        path = self.path / SETTINGS
        try:
            settings = json.loads(read_text(path))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror or error}") from error
        except (ValueError, RecursionError) as error:
            if not (self.path / STATE).is_file():
                return None
            raise InputError(
                f"received {path}, which is damaged: remove its folder and start again"
            ) from error
        return settings if isinstance(settings, dict) and "kerasep" in settings else None


def _release(version):
    """Parse the first two numbers of a version; None for what is not one."""
    found = re.match(r"(\d+)\.(\d+)", version) if isinstance(version, str) else None
    return found and tuple(map(int, found.groups()))
