"""The files of a training run, and whether a run may resume from them."""

import json
import math
import os
import pathlib
import re
import zipfile
from typing import Any

import keras

from kerasep import __version__
from kerasep.errors import InputError
from kerasep.files.atomic import remove, remove_partial, replacing
from kerasep.files.text_files import read_text, write_table
from kerasep.system import logs
from kerasep.training.monitoring import Monitor
from kerasep.training.recipes import compile_model
from kerasep.training.run_state import RunState, check_fits

log = logs.logger(__name__)

MODEL, HISTORY, SETTINGS, STATE = "model.keras", "history.csv", "recipe.json", "state.npz"
FINAL_STATE = "final_state.npz"  # of a run that has ended, to extend it
PARTIAL_MODEL = f".partial.{MODEL}"  # Keras requires the suffix


class RunFolder:
    """The best model, the history, the settings and the state of a run.

    Each file is replaced as a whole, so that a killed run leaves a complete state. Of several
    processes only the first `writes`. A run that `extends` an earlier one has more epochs.
    """

    def __init__(self, path: str | os.PathLike, watched: Monitor, epochs: int, writes: bool = True):
        self.path = pathlib.Path(path)
        self.watched, self.monitor = watched, watched.name
        self.epochs = epochs
        self.writes = writes
        self.extends = False

    def start(self, model: keras.Model, settings: dict[str, Any]) -> RunState | None:
        """Return the state to resume from, None for a new run; raise `InputError` otherwise.

        A run resumes with the settings that it began with. Nothing is written yet.
        """
        about = {"model": type(model).__name__, "arguments": model.get_config()}
        about |= {"monitor": self.monitor, "kerasep": __version__}
        self.settings = settings = json.loads(json.dumps({**settings, **about}))
        earlier = self._read_settings()
        before = _epochs(earlier)
        self.extends = before < self.epochs
        ended = not (self.path / STATE).is_file() and (self.path / FINAL_STATE).is_file()
        if earlier and (self.path / (FINAL_STATE if ended else STATE)).is_file():
            if ended and not self.extends:
                raise InputError(
                    f"received --out {self.path}, which holds a finished run: extend it by more "
                    f"than {before} epochs, or choose another folder"
                )
            if self.extends:
                earlier["recipe"]["epochs"] = self.epochs
            differing = {key for key in settings if settings[key] != earlier.get(key)}
            differing -= {"kerasep"}
            if differing:
                raise InputError(
                    f"received --out {self.path}, which holds a run with another "
                    f"{', '.join(sorted(differing))}: choose another folder, or resume with the "
                    f"settings of that run"
                )
            self._check_release(earlier["kerasep"])
            state = self.read_state(FINAL_STATE if ended else STATE)
            self._check_state(state, model, earlier)
            if self.extends:
                _continue(state, before)
            return state
        self.extends = False
        if earlier and any((self.path / name).is_file() for name in (HISTORY, MODEL)):
            raise InputError(
                f"received --out {self.path}, which holds a finished run without {FINAL_STATE}: "
                f"choose another folder"
            )
        if not earlier and self.path.is_dir() and any(self.path.iterdir()):
            raise InputError(
                f"received --out {self.path}, which holds other files: choose another folder"
            )
        # A new folder, or a run that was killed before its first state.
        return None

    def begin(self, state: RunState) -> None:
        """Remove what killed runs left behind, and create the folder and settings of a new run."""
        if not self.writes:
            return
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"received --out {self.path}, where no folder can be created: {error.strerror}"
            ) from error
        self._remove_partial()
        if not state.epoch and not state.step:
            self._write_settings(state)

    def begin_extension(self, state: RunState) -> None:
        """Write the new number of epochs, after the state that it is needed for."""
        if self.writes:
            self._write_settings(state)
            remove(self.path / FINAL_STATE)

    def _write_settings(self, state):
        with replacing(self.path / SETTINGS) as file:
            text = json.dumps({**self.settings, "batch_size": state.batch_size}, indent=2)
            file.write_text(text, "utf-8")

    def read_state(self, name: str = STATE) -> RunState:
        """Read the last state that was written."""
        return RunState.read(self.path / name)

    def write_state(self, state: RunState) -> None:
        """Replace the state."""
        if self.writes:
            with replacing(self.path / STATE) as file:
                state.write(file)

    def write_model(self, model: keras.Model) -> None:
        """Replace the best model."""
        if self.writes:
            with replacing(self.path / MODEL) as file:
                try:
                    model.save(self.path / PARTIAL_MODEL)
                    os.replace(self.path / PARTIAL_MODEL, file)
                finally:
                    remove(self.path / PARTIAL_MODEL)

    def write_history(self, history: list[dict[str, float]]) -> None:
        """Replace the history."""
        if self.writes and history:
            write_table(self.path / HISTORY, history)

    def finish(self, history: list[dict[str, float]]) -> None:
        """Write the history, and keep the state for an extension."""
        if self.writes:
            self.write_history(history)
            os.replace(self.path / STATE, self.path / FINAL_STATE)
            self._remove_partial()

    def _remove_partial(self):
        remove_partial(self.path)
        remove(self.path / PARTIAL_MODEL)

    def _check_release(self, earlier):
        """Compare releases by the numbers between which training may have changed."""
        ours, theirs = _release(__version__), _release(earlier)
        if theirs is None or ours[0] != theirs[0]:
            raise InputError(
                f"received --out {self.path}, which holds a run of kerasep {str(earlier)[:40]}, "
                f"expected one of kerasep {ours[0]}: resume with that release, or choose another "
                f"folder"
            )
        if ours[:2] != theirs[:2]:
            log.warning(
                "%s was begun with kerasep %s and resumes with %s: the results may differ from "
                "those of one release",
                self.path, earlier, __version__,
            )  # fmt: skip

    def _check_state(self, state, model, earlier):
        """Compare a state with the run's settings, its best model and the model to be trained."""
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
            compile_model(model, self.settings["recipe"], state.parts)
            check_fits(model, state.arrays)
        except ValueError as error:
            raise InputError(
                f"received {self.path / STATE}, which is damaged ({error}): remove its folder and "
                f"start again"
            ) from error

    def _read_settings(self):
        """Read the settings of a run; None if the folder holds none."""
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


def _epochs(settings):
    """Return the number of epochs in a run's settings; infinity if they hold none."""
    recipe = settings and settings.get("recipe")
    epochs = recipe.get("epochs") if isinstance(recipe, dict) else None
    return epochs if type(epochs) is int else math.inf


def _continue(state, epochs):
    """Change the state of a run that finished within `epochs` so that it can continue."""
    if state.finished and state.epoch < epochs:  # it was stopped early: patience starts again
        kept = {key: v for key, v in state.callbacks.items() if "EarlyStopping" not in key}
        state.callbacks = kept
    state.finished = False


def _release(version):
    """Parse the first two numbers of a version; None for anything else."""
    numbers = re.match(r"(\d+)\.(\d+)", version) if isinstance(version, str) else None
    return numbers and tuple(map(int, numbers.groups()))
