"""The largest batch that fits: what is tried, what bounds it, and that it leaves no trace."""

import json

import keras
import numpy as np
import pytest
from tiny_runs import RECIPE, Tiny, kill

from kerasep.errors import InputError
from kerasep.system import memory
from kerasep.training import batch_size
from kerasep.training.run_state import capture

EXAMPLE = keras.KerasTensor((None, 8)), keras.KerasTensor((None, 1))


def network(dropout=0.5):
    layers = [keras.Input((8,)), keras.layers.Dropout(dropout), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.compile("adam", "mse", run_eagerly=keras.backend.backend() == "tensorflow")
    return model


def limited(most):
    """A network whose training step has memory for so many examples."""
    model = network()
    step, tried = model.train_on_batch, []

    def train_on_batch(x, y):
        tried.append(len(x))
        if len(x) > most:
            raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory")
        return step(x, y)

    model.train_on_batch = train_on_batch
    return model, tried


@pytest.mark.parametrize(
    ("most", "limit", "expected", "tried"),
    [
        (5, 100, 4, [1, 2, 4, 8]),
        (100, 20, 16, [1, 2, 4, 8, 16]),
    ],
)
def test_the_largest_that_fits(most, limit, expected, tried):
    model, seen = limited(most)
    assert batch_size.largest(model, EXAMPLE, limit) == expected
    assert seen == tried


def test_no_more_than_256():
    model, tried = limited(10**6)
    assert batch_size.largest(model, EXAMPLE, 10**6) == 256
    assert tried[-1] == 256


def test_the_memory_of_a_cpu_bounds_it(monkeypatch):
    """Steps that take 100 bytes an example, where 1000 are free: 8 are tried, 16 are not."""
    model, tried = limited(10**6)
    monkeypatch.setattr(memory, "free", lambda: 1000)
    monkeypatch.setattr(memory, "used", lambda: 5000)
    monkeypatch.setattr(memory, "peak", lambda: 5000 + 100 * tried[-1])
    assert batch_size.largest(model, EXAMPLE, 256) == 8
    assert tried == [1, 2, 4, 8]


def test_no_trace_is_left():
    model = network()
    model.optimizer.build(model.trainable_variables)
    before = capture(model)
    batch_size.largest(model, EXAMPLE, 4)
    after = capture(model)
    assert any(name.startswith("weight/") and len(before[name]) == 2 for name in before)  # a seed
    for name in before:
        np.testing.assert_array_equal(after[name], before[name], err_msg=name)


def test_not_even_one():
    with pytest.raises(InputError, match="'auto', but no batch fits"):
        batch_size.largest(limited(0)[0], EXAMPLE, 8)


class Limited(Tiny):
    """Has memory for two examples."""

    def train_on_batch(self, x, y):
        if len(x) > 2:
            raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory")
        return super().train_on_batch(x, y)


def test_a_run_with_automatic_batches(songs, tmp_path):
    """Its batch size is written, and stays when the run resumes."""
    recipe = {"data": {**RECIPE["data"], "batch_size": "auto"}, "epochs": 1}
    kill(songs, tmp_path / "run", recipe, Limited(), epoch=0)
    settings = json.loads((tmp_path / "run" / "recipe.json").read_text())
    assert settings["batch_size"] == 2
    assert settings["recipe"]["data"]["batch_size"] == "auto"
    steps = []
    counter = keras.callbacks.LambdaCallback(
        on_train_begin=lambda *_: steps.append(counter.params["steps"])
    )
    kill(songs, tmp_path / "run", recipe, Limited(), epoch=0, callbacks=[counter])
    assert steps == [10]
