"""All that a training run's next step depends on, as arrays and facts in one file."""

import contextlib
import dataclasses
import hashlib
import json
import math

import keras
import numpy as np

from kerasep.errors import InputError
from kerasep.files.array_file import read_arrays
from kerasep.training import callback_state

MOST_HALVINGS = 5
_MOST = 1 << 40  # of anything that is counted
_KINDS = ("weight", "optimizer", "iteration", "learning_rate", "gradient_accumulator", "metric")


@dataclasses.dataclass
class RunState:
    """Where a run stands, and the value of everything that its next step depends on.

    Attributes:
        batch_size: crops in a batch.
        epoch: whole epochs that are done.
        step: batches that are done of the epoch after them.
        parts: how many parts each batch is taken in, for want of memory.
        halvings: how often the learning rate was halved after a loss that was not finite.
        seconds: how long the run has taken.
        finished: whether no epoch is left to do.
        history: a dict for each whole epoch.
        callbacks: what callbacks have counted and kept (see `kerasep.training.callback_state`).
        arrays: weights, random seeds, optimizer, running metrics and the arrays of callbacks, by
            kind and number.
    """

    batch_size: int
    epoch: int = 0
    step: int = 0
    parts: int = 1
    halvings: int = 0
    seconds: float = 0.0
    finished: bool = False
    history: list = dataclasses.field(default_factory=list)
    callbacks: dict = dataclasses.field(default_factory=dict)
    arrays: dict = dataclasses.field(default_factory=dict)

    def halve_rate(self):
        """Go on at half the learning rate."""
        self.halvings += 1
        for name in self.arrays:
            if name.startswith("learning_rate/"):
                self.arrays[name] = self.arrays[name] / 2

    def divide_batches(self, times):
        """Go on with each part of a batch in so many parts; the optimizer counts the parts."""
        self.parts *= times
        for name in self.arrays:
            if name.startswith(("iteration/", "gradient_accumulator/")):
                self.arrays[name] = self.arrays[name] * times

    def write(self, file):
        """Write to a path, or an open binary file."""
        facts = {name: value for name, value in vars(self).items() if name != "arrays"}
        facts["digest"] = _digest(facts, self.arrays)
        text = np.frombuffer(json.dumps(facts).encode(), "uint8")
        with _opened(file, "wb") as opened:
            np.savez(opened, facts=text, **self.arrays)

    @classmethod
    def read(cls, file):
        """Read from a path, or an open binary file.

        Raises:
            InputError: for a file that is damaged, or holds what no run writes.
        """
        try:
            with _opened(file, "rb") as opened:
                arrays = read_arrays(opened)
            if "facts" not in arrays or arrays["facts"].dtype != "uint8":
                raise ValueError("it holds no facts")
            facts = json.loads(arrays.pop("facts").tobytes())
            if not isinstance(facts, dict):
                raise ValueError("its facts are not a dict")
            digest = facts.pop("digest", None)
            expected = {field.name for field in dataclasses.fields(cls)} - {"arrays"}
            if facts.keys() != expected:
                names = ", ".join(sorted(facts.keys() ^ expected))
                raise ValueError(f"its facts lack, or should not have, {names[:200]}")
            state = cls(**facts, arrays=arrays)
            state.check()
            if digest != _digest(facts, arrays):
                raise ValueError("its content was changed since it was written")
            return state
        except OSError as error:
            raise InputError(f"cannot read {file}: {error.strerror or error}") from error
        except (ValueError, RecursionError) as error:
            raise InputError(
                f"received {file}, which is damaged ({error}): remove its folder and start again"
            ) from error

    def check(self):
        """Validate everything that can be judged without the model and the data.

        Raises:
            ValueError: with what is wrong.
        """
        counts = {"batch_size": 1, "epoch": 0, "step": 0, "parts": 1, "halvings": 0}
        for name, least in counts.items():
            if not _is_count(getattr(self, name), least):
                raise ValueError(f"its {name} is {str(getattr(self, name))[:40]}")
        if self.batch_size % self.parts:
            raise ValueError(f"its batches of {self.batch_size} do not divide into {self.parts}")
        if self.halvings > MOST_HALVINGS:
            raise ValueError(f"its halvings are {self.halvings}, more than {MOST_HALVINGS}")
        if not isinstance(self.finished, bool) or (self.finished and self.step):
            raise ValueError(f"its finished is {str(self.finished)[:40]}, its step {self.step}")
        if not _is_number(self.seconds) or not 0 <= self.seconds < _MOST:
            raise ValueError(f"its seconds are {str(self.seconds)[:40]}")
        callback_state.check(self.callbacks, self.arrays)
        self._check_history()
        self._check_arrays()

    def _check_history(self):
        rows = self.history
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ValueError("its history is not a list of dicts")
        if len(rows) != self.epoch:
            raise ValueError(f"its history has {len(rows)} epochs, it says {self.epoch}")
        for number, row in enumerate(rows, 1):
            if not {"epoch", "seconds", "loss"} <= row.keys() or row.keys() != rows[0].keys():
                raise ValueError(f"its history lacks a value in epoch {number}")
            if row["epoch"] != number or not all(map(_is_number, row.values())):
                raise ValueError(f"its history has a value that no epoch {number} has")

    def _check_arrays(self):
        counts = dict.fromkeys((*_KINDS, "callback"), 0)
        for name, array in self.arrays.items():
            kind, _, number = name.partition("/")
            if kind not in counts or number != str(counts[kind]):
                raise ValueError(f"it holds an array {name[:40]!r} out of place")
            counts[kind] += 1
            if kind != "callback" and not np.isfinite(array).all():
                raise ValueError(f"its array {name} is not finite")
        missing = {"weight", "iteration"} - {kind for kind, count in counts.items() if count}
        if missing:
            raise ValueError(f"it holds no {', '.join(sorted(missing))}")


def capture(model):
    """Copy the state of a compiled model whose optimizer is built.

    Args:
        model: the model; its weights, random seeds, optimizer and running metrics are copied.

    Returns:
        Arrays by kind and number.
    """
    return {name: _value(variable) for name, variable in _variables(model).items()}


def restore(model, arrays, kinds=None):
    """Give a model the state that was captured from it or one like it.

    Args:
        model: the model, compiled with an optimizer of the same kind, which may sum the gradients
            of more or fewer batches.
        arrays: what `capture` returned.
        kinds: which kinds to restore. Default: all.
    """
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    for name, variable in _variables(model).items():
        if name in arrays and (kinds is None or name.partition("/")[0] in kinds):
            variable.assign(arrays[name])


def check_fits(model, arrays):
    """Validate that arrays are the state of a model like this one.

    Args:
        model: a compiled model.
        arrays: from a `RunState`.

    Raises:
        ValueError: naming an array that is missing, too many, or of another shape.
    """
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    expected = {name: _value(variable) for name, variable in _variables(model).items()}
    # The sums of gradients are there only in some runs; a model is told its metrics by training.
    sums = {
        f"gradient_accumulator/{number}": np.zeros(variable.shape, "float32")
        for number, variable in enumerate(model.trainable_variables)
    }
    if any(name in arrays for name in sums):
        expected |= sums
    else:
        expected = {name: value for name, value in expected.items() if name not in sums}
    expected |= {name: np.zeros((), "float32") for name in arrays if name.startswith("metric/")}
    known = {name for name in arrays if not name.startswith("callback/")}
    if known != expected.keys():
        names = sorted(known ^ expected.keys())
        raise ValueError(f"it lacks, or should not have, the array {names[0]}")
    for name, value in expected.items():
        found = arrays[name]
        if found.shape != value.shape or found.dtype.kind != value.dtype.kind:
            raise ValueError(
                f"its array {name} is {found.dtype} {found.shape}, the model's {value.dtype} "
                f"{value.shape}"
            )
        if name.startswith("iteration/") and not 0 <= found <= _MOST:
            raise ValueError(f"its array {name} is {found}")


def is_finite(arrays):
    """Check whether all captured arrays are finite numbers, those of callbacks apart."""
    return all(
        np.isfinite(array).all()
        for name, array in arrays.items()
        if not name.startswith("callback/")
    )


def _value(variable):
    value = np.array(keras.ops.convert_to_numpy(variable))
    # What NumPy has no type of its own for, such as bfloat16, is exact in float32.
    return value if value.dtype.kind in "biuf" else value.astype("float32")


def _digest(facts, arrays):
    """Compute a checksum of everything in a state."""
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()


def _is_count(value, least):
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= _MOST


def _is_number(value):
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -_MOST <= value <= _MOST if isinstance(value, int) else math.isfinite(value)


def _variables(model):
    """Name all variables of a model's state by what they are and their number."""
    named = {}
    for kind, variables in (
        ("weight", model.trainable_variables + model.non_trainable_variables),
        ("optimizer", model.optimizer.variables),
        ("metric", model.metrics_variables),
    ):
        counts = {}
        for variable in variables:
            own = kind
            for special in ("iteration", "learning_rate", "gradient_accumulator"):
                if kind == "optimizer" and variable.name.endswith(special):
                    own = special
            number = counts[own] = counts.get(own, -1) + 1
            named[f"{own}/{number}"] = variable
    return named


def _opened(file, mode):
    return contextlib.nullcontext(file) if hasattr(file, "read") else open(file, mode)
