"""The state of a training run in one file: all that the next step depends on."""

import contextlib
import dataclasses
import hashlib
import json
from typing import Annotated, Any

import keras
import msgspec
import numpy as np
from msgspec import Meta

from kerasep.errors import InputError
from kerasep.files.array_file import read_arrays
from kerasep.training import callback_state

MOST_HALVINGS = 5
_MOST = 1 << 40  # of anything that is counted
Count = Annotated[int, Meta(ge=0, le=_MOST)]
Positive = Annotated[int, Meta(ge=1, le=_MOST)]
Value = Annotated[int, Meta(ge=-_MOST, le=_MOST)] | Annotated[float, Meta(ge=-1e308, le=1e308)]
_KINDS = ("weight", "optimizer", "iteration", "learning_rate", "gradient_accumulator", "metric")


@dataclasses.dataclass
class RunState:
    """The progress of a run, and the values of all its variables."""

    batch_size: Positive  # crops in a batch
    epoch: Count = 0  # completed epochs
    step: Count = 0  # completed batches of the next epoch
    parts: Positive = 1  # per batch, for lack of memory
    # Of the learning rate, after losses that were not finite.
    halvings: Annotated[int, Meta(ge=0, le=MOST_HALVINGS)] = 0
    seconds: Annotated[float, Meta(ge=0, le=_MOST)] = 0.0
    finished: bool = False
    history: list[dict[str, Value]] = dataclasses.field(default_factory=list)
    # See `kerasep.training.callback_state`.
    callbacks: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)
    # Weights, random seeds, optimizer, metrics and arrays of callbacks, by kind and number.
    arrays: dict[str, Any] = dataclasses.field(default_factory=dict)

    def halve_rate(self) -> None:
        """Halve the learning rate."""
        self.halvings += 1
        self._multiply(("learning_rate/",), 0.5)

    def divide_batches(self, times: int) -> None:
        """Divide each part of a batch again; the optimizer counts the parts."""
        self.parts *= times
        self._multiply(("iteration/", "gradient_accumulator/"), times)

    def _multiply(self, kinds, factor):
        for name, array in self.arrays.items():
            if name.startswith(kinds):
                self.arrays[name] = array * array.dtype.type(factor)

    def write(self, file) -> None:
        """Write to a path, or an open binary file."""
        facts = {name: value for name, value in vars(self).items() if name != "arrays"}
        facts["digest"] = _digest(facts, self.arrays)
        text = np.frombuffer(json.dumps(facts).encode(), "uint8")
        with _opened(file, "wb") as opened:
            np.savez(opened, facts=text, **self.arrays)

    @classmethod
    def read(cls, file) -> "RunState":
        """Read from a path or an open binary file; raise `InputError` if it is damaged."""
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
            state = msgspec.convert(facts, cls)
            state.arrays = arrays
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

    def check(self) -> None:
        """Raise `ValueError` for values that no run writes, whatever its model and data."""
        if self.batch_size % self.parts:
            raise ValueError(f"its batches of {self.batch_size} do not divide into {self.parts}")
        if self.finished and self.step:
            raise ValueError(f"it is finished, but its step is {self.step}")
        self._check_callbacks()
        self._check_history()
        self._check_arrays()

    def _check_callbacks(self):
        try:
            for attributes in self.callbacks.values():
                callback_state.unpacked(list(attributes.values()), self.arrays)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"its callbacks have an invalid value: {str(error)[:40]}") from error

    def _check_history(self):
        rows = self.history
        if len(rows) != self.epoch:
            raise ValueError(f"its history has {len(rows)} epochs, it says {self.epoch}")
        for number, row in enumerate(rows, 1):
            if not {"epoch", "seconds", "loss"} <= row.keys() or row.keys() != rows[0].keys():
                raise ValueError(f"its history lacks a value in epoch {number}")
            if row["epoch"] != number:
                raise ValueError(f"its history has the epoch {row['epoch']} as number {number}")

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


def capture(model: keras.Model) -> dict[str, np.ndarray]:
    """Copy weights, random seeds, built optimizer and running metrics of a compiled model."""
    return {name: _value(variable) for name, variable in _variables(model).items()}


def restore(model: keras.Model, arrays: dict[str, np.ndarray], kinds=_KINDS) -> None:
    """Set captured arrays on the same kind of model and optimizer."""
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    for name, variable in _variables(model).items():
        if name in arrays and name.partition("/")[0] in kinds:
            variable.assign(arrays[name])


def check_fits(model: keras.Model, arrays: dict[str, np.ndarray]) -> None:
    """Raise `ValueError` unless arrays are a state of this model, which is compiled for the run."""
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    expected = capture(model)
    # A model has all its metrics only when it is trained.
    expected |= {name: np.zeros((), "float32") for name in arrays if name.startswith("metric/")}
    known = {name for name in arrays if not name.startswith("callback/")}
    if known != expected.keys():
        names = sorted(known ^ expected.keys())
        raise ValueError(f"it lacks, or should not have, the array {names[0]}")
    for name, value in expected.items():
        array = arrays[name]
        if array.shape != value.shape or array.dtype.kind != value.dtype.kind:
            raise ValueError(
                f"its array {name} is {array.dtype} {array.shape}, the model's {value.dtype} "
                f"{value.shape}"
            )
        if name.startswith("iteration/") and not 0 <= array <= _MOST:
            raise ValueError(f"its array {name} is {array}")


def is_finite(arrays: dict[str, np.ndarray]) -> bool:
    """Return whether all arrays but those of callbacks are finite."""
    return all(
        np.isfinite(array).all()
        for name, array in arrays.items()
        if not name.startswith("callback/")
    )


def _value(variable):
    value = np.array(keras.ops.convert_to_numpy(variable))
    # NumPy lacks types such as bfloat16, which are exact in float32.
    return value if value.dtype.kind in "biuf" else value.astype("float32")


def _variables(model):
    """Name all variables of a model's state by kind and number."""
    named = {}
    counts = dict.fromkeys(_KINDS, 0)
    for group, variables in (
        ("weight", model.trainable_variables + model.non_trainable_variables),
        ("optimizer", model.optimizer.variables),
        ("metric", model.metrics_variables),
    ):
        for variable in variables:
            kind = group
            for special in ("iteration", "learning_rate", "gradient_accumulator"):
                if group == "optimizer" and variable.name.endswith(special):
                    kind = special
            named[f"{kind}/{counts[kind]}"] = variable
            counts[kind] += 1
    return named


def _digest(facts, arrays):
    """Compute a checksum of a state, in which a damaged file shows."""
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()


def _opened(file, mode):
    return contextlib.nullcontext(file) if hasattr(file, "read") else open(file, mode)
