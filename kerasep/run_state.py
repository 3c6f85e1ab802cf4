"""All that a training run's next step depends on, as arrays and facts in one file."""

import contextlib
import dataclasses
import json
import zipfile

import keras
import numpy as np

from kerasep.errors import InputError


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
        arrays: weights, random seeds, optimizer and running metrics, by kind and number.
    """

    batch_size: int
    epoch: int = 0
    step: int = 0
    parts: int = 1
    halvings: int = 0
    seconds: float = 0.0
    finished: bool = False
    history: list = dataclasses.field(default_factory=list)
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
        text = np.frombuffer(json.dumps(facts).encode(), "uint8")
        with _opened(file, "wb") as opened:
            np.savez(opened, facts=text, **self.arrays)

    @classmethod
    def read(cls, file):
        """Read from a path, or an open binary file.

        Raises:
            InputError: for a file that is damaged.
        """
        try:
            with _opened(file, "rb") as opened, np.load(opened, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            return cls(**json.loads(arrays.pop("facts").tobytes()), arrays=arrays)
        except (zipfile.BadZipFile, ValueError, KeyError, TypeError, EOFError) as error:
            raise InputError(
                f"received {file}, which is damaged: remove its folder and start anew"
            ) from error


def capture(model):
    """Copy the state of a compiled model whose optimizer is built.

    Args:
        model: the model; its weights, random seeds, optimizer and running metrics are copied.

    Returns:
        Arrays by kind and number.
    """
    return {
        name: np.array(keras.ops.convert_to_numpy(variable))
        for name, variable in _variables(model).items()
    }


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


def is_finite(arrays):
    """Tell whether all weights among captured arrays are finite numbers."""
    return all(np.isfinite(arrays[name]).all() for name in arrays if name.startswith("weight/"))


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
