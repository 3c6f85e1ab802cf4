"""The callback that writes a run's folder during training, and resumes from its state."""

import math
import time
from collections.abc import Sequence

import keras
import numpy as np

from kerasep.training.averages import averaged
from kerasep.training.callback_state import CallbackStates
from kerasep.training.recovery import NotFiniteError
from kerasep.training.run_folder import RunFolder
from kerasep.training.run_state import RunState, capture, is_finite, restore


class Checkpoints(keras.callbacks.Callback):
    """Write state, best model and history; resume in the middle of an epoch, to the same result.

    Keras' BackupAndRestore resumes at the start of an epoch, without metrics, counters of callbacks
    and the best loss so far. A kill may leave its files incomplete.

    `best_model` is a copy of the model for its best weights. The run ends at `max_minutes`, or with
    the epoch before it. A kill within an epoch costs `save_minutes` of work at most.
    """

    def __init__(
        self,
        folder: RunFolder,
        state: RunState,
        best_model: keras.Model,
        max_minutes: float | None = None,
        save_minutes: float = 5.0,
    ):
        super().__init__()
        self.folder = folder
        self.best_model = best_model
        self.max_minutes = math.inf if max_minutes is None else max_minutes
        self.save_minutes = save_minutes
        self.before, self.began = state.seconds, time.monotonic()
        self.others: list[keras.callbacks.Callback] = []
        self.resume(state)

    def resume(self, state: RunState) -> None:
        """Set the state that the next fit starts from."""
        self.state = state
        self.pending: dict[str, np.ndarray] | None = state.arrays

    def write(self) -> None:
        """Write the state."""
        self.folder.write_state(self.state)
        self.state.arrays = {}  # three times the size of the weights
        self.saved = time.monotonic()

    def among(
        self,
        before: Sequence[keras.callbacks.Callback],
        after: Sequence[keras.callbacks.Callback],
    ) -> list[keras.callbacks.Callback]:
        """Return all callbacks of a fit in their order.

        Those in `after` may stop training at a batch that checkpoints have seen. The state of an
        epoch is complete only after all other callbacks have seen its end.
        """
        self.others = [*before, *after]
        last = keras.callbacks.LambdaCallback(
            on_train_begin=self._begin,
            on_epoch_begin=self._begin_epoch,
            on_epoch_end=self._end_epoch,
        )
        return [*before, self, *after, last]

    def _begin(self, _logs):
        """Restore the state."""
        self.sign = -1.0 if self.folder.watched.mode == "max" else 1.0
        values = (self.sign * row[self.folder.monitor] for row in self.state.history)
        self.best = min(values, default=math.inf)
        self.callback_states = CallbackStates(self.others)
        if self.pending:
            self.callback_states.restore(self.state.callbacks, self.pending)
            restore(self.model, self.pending)
        self.saved = time.monotonic()

    def _begin_epoch(self, _epoch, _logs):
        """Undo what callbacks do at the beginning of an epoch, if this one was begun before."""
        if self.pending and self.state.step:
            restore(self.model, self.pending)
        self.pending = None
        self.first = self.state.step * self.state.parts

    def on_train_batch_end(self, batch, logs=None):
        """Write the state if it is time, or stop training if time has run out."""
        if not math.isfinite(logs["loss"]):
            raise NotFiniteError(f"loss {logs['loss']} in epoch {self.state.epoch + 1}")
        step, part = divmod(self.first + batch + 1, self.state.parts)
        if part:
            return
        if self._seconds() > 60 * self.max_minutes:
            self.model.stop_training = True
        # At the end of an epoch, _end_epoch writes the state.
        ends = batch + 1 == self.params["steps"] or self.model.stop_training
        due = time.monotonic() - self.saved >= 60 * self.save_minutes
        if self.folder.writes and due and not ends and self._advance(self.state.epoch, step):
            self.write()

    def _end_epoch(self, epoch, logs):
        """Write the model if it is the best so far, then the state and the history."""
        value = float(logs[self.folder.monitor])
        if not math.isfinite(value):
            raise NotFiniteError(f"{self.folder.monitor} {value} in epoch {epoch + 1}")
        history, seconds = self.state.history, self._seconds()
        taken = seconds - (history[-1]["seconds"] if history else 0.0)
        if seconds + taken > 60 * self.max_minutes:
            self.model.stop_training = True
        if not self._advance(epoch + 1, 0):
            raise NotFiniteError(f"weights that are not finite in epoch {epoch + 1}")
        self.state.finished = self.model.stop_training or epoch + 1 == self.folder.epochs
        row = {"epoch": epoch + 1, "seconds": round(seconds, 1)}
        history.append(row | {key: float(value) for key, value in logs.items()})
        if self.sign * value < self.best:
            self.best = self.sign * value
            # Not the compiled model, whose optimizer would triple the file's size.
            with averaged(self.model):
                self.best_model.set_weights(self.model.get_weights())
            self.folder.write_model(self.best_model)
        # The state first: the history never shows an epoch that a kill would undo.
        self.write()
        self.folder.write_history(history)

    def _advance(self, epoch, step):
        """Capture the state there, and return True; False if a weight is not finite."""
        arrays = capture(self.model)
        if not is_finite(arrays):
            return False
        self.state.callbacks, callback_arrays = self.callback_states.capture()
        self.state.arrays = arrays | callback_arrays
        self.state.epoch, self.state.step, self.state.seconds = epoch, step, self._seconds()
        return True

    def _seconds(self):
        """Return the duration of the run, including the time before a kill."""
        return self.before + time.monotonic() - self.began
