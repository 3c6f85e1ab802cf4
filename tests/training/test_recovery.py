"""Runs that are killed, diverge or run out of memory."""

import contextlib
import csv
import os
import random
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
import tiny_runs
from tiny_runs import At, Tiny, files, kill, load, losses, refused, tiny, train, warnings

from kerasep.errors import InputError
from kerasep.training import recovery
from kerasep.training.run_state import RunState

BATCHES = 5  # in an epoch of the four songs


def killed_processes(songs, out, times):
    """Train in processes that are killed at random moments."""
    command = [sys.executable, tiny_runs.__file__, songs, out, "dropout=0.3", "save_minutes=0"]

    def version():
        with contextlib.suppress(FileNotFoundError):  # before the first, and after the last epoch
            return (out / "1" / "state.npz").stat().st_mtime_ns
        return None

    for _ in range(times):
        before = version()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and version() in (None, before):
            time.sleep(0.005)
        time.sleep(random.uniform(0, 0.3))
        process.send_signal(signal.SIGKILL)
        process.wait()


@pytest.mark.slow
def test_a_run_killed_at_random_moments(unbroken, songs, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    killed_processes(songs, tmp_path, times=3)
    folder = tmp_path / "1"
    if (folder / "state.npz").exists():  # it had no time to come to its end
        train(songs, folder, model=tiny(0.3, seed=1), save_minutes=0)
    with open(folder / "history.csv", newline="") as file:
        history = [{key: float(row[key]) for key in row} for row in csv.DictReader(file)]
    np.testing.assert_allclose(losses(history), losses(unbroken[1]), rtol=1e-5)
    best, expected = load(folder), load(unbroken[2])
    for weight, other in zip(best.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(weight, other, rtol=0, atol=1e-6)
    assert files(folder) == tiny_runs.FINISHED


def break_once(model):
    weight = model.trainable_variables[0]
    weight.assign(np.full(weight.shape, np.nan))


def test_a_loss_that_is_not_finite_once(songs, tmp_path, caplog):
    """Back to the last state, at half the rate; the run ends with all of its epochs."""
    history = train(
        songs, tmp_path / "run", {"epochs": 2}, save_minutes=0,
        callbacks=[At(break_once, batch=BATCHES + 2)],
    )  # fmt: skip
    assert len(history) == 2
    assert np.isfinite(losses(history)).all()
    assert [row["learning_rate"] for row in history] == pytest.approx([0.01, 0.005])
    assert warnings(caplog) == [
        "loss nan in epoch 2: back to epoch 2, batch 3, with the learning rate halved"
    ]


@pytest.mark.slow
def test_weights_that_are_not_finite_are_never_kept(songs, tmp_path):
    """The next loss shows them, and the state from before them is still there."""

    class Spoil(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if int(self.model.optimizer.iterations) == 2:
                break_once(self.model)

    refused(
        "received loss nan in epoch 1, also with the learning rate halved 5 times: lower the",
        songs, tmp_path / "run", save_minutes=0, callbacks=[Spoil()],
    )  # fmt: skip
    state = RunState.read(tmp_path / "run" / "state.npz")
    assert (state.step, state.halvings) == (2, 5)
    assert all(np.isfinite(array).all() for array in state.arrays.values())
    assert "model.keras" not in files(tmp_path / "run")


@pytest.mark.slow
def test_a_rate_that_is_a_schedule_is_halved_too(songs, tmp_path, caplog):
    schedule = {
        "module": "keras.optimizers.schedules",
        "class_name": "ExponentialDecay",
        "config": {"initial_learning_rate": 0.01, "decay_steps": BATCHES, "decay_rate": 0.1},
    }
    recipe = {
        "optimizer": {"class_name": "Adam", "config": {"learning_rate": schedule}},
        "plateau": None,
    }
    rates = []

    class Rate(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            rates.append(float(self.model.optimizer.learning_rate))

    train(songs, tmp_path / "run", recipe=recipe, callbacks=[Rate(), At(break_once, batch=7)])
    assert rates == pytest.approx([1e-3, 0.5e-4, 0.5e-5])


class ResourceExhaustedError(Exception):
    """An error that is known by its name."""


def exhausted():
    """Return the error that the backend raises."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")
    if keras.backend.backend() == "torch":
        import torch

        return torch.OutOfMemoryError("CUDA out of memory.")
    import jax

    return jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 8 bytes")


class Limited(Tiny):
    """Has no memory for a larger batch."""

    most = 2

    def call(self, inputs, training=None, mask=None):
        if training and inputs.shape[0] is not None and inputs.shape[0] > self.most:
            raise exhausted()
        return super().call(inputs, training=training, mask=mask)


class Plain(Limited):
    """Without batch normalisation, which sees only the parts."""

    def __init__(self, dropout=0.0):
        super().__init__(dropout)
        for layer in self.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.trainable = False


@pytest.mark.slow
@pytest.mark.parametrize(("most", "parts"), [(2, 2), (1, 4)])
def test_a_batch_that_does_not_fit_is_taken_in_parts(songs, tmp_path, caplog, most, parts):
    """The same crops, and the same steps of the optimizer, as with enough memory."""
    keras.utils.set_random_seed(0)
    whole, limited = Plain(), Plain()
    limited.set_weights(whole.get_weights())
    whole.most, limited.most = 4, most
    expected = train(songs, tmp_path / "whole", model=whole)
    state = []
    history = train(
        songs, tmp_path / "parts", model=limited,
        callbacks=[At(lambda m: state.append(int(m.optimizer.iterations)), batch=3 * parts)],
    )  # fmt: skip
    assert state == [3]
    np.testing.assert_allclose(losses(history), losses(expected), rtol=1e-4)
    for weight, other in zip(limited.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(weight, other, atol=1e-4)
    messages = warnings(caplog)
    assert messages[-1] == (
        f"out of memory: back to epoch 1, batch 1, with each batch of 4 divided into {parts} parts"
    )
    assert len(messages) == {2: 1, 4: 2}[parts]


@pytest.mark.slow
def test_parts_are_kept_over_a_kill(songs, tmp_path, caplog):
    keras.utils.set_random_seed(0)
    whole, limited, again = Plain(), Plain(), Plain()
    limited.set_weights(whole.get_weights())
    whole.most = 4
    expected = train(songs, tmp_path / "whole", model=whole)
    kill(songs, tmp_path / "run", model=limited, batch=7, save_minutes=0)
    state = RunState.read(tmp_path / "run" / "state.npz")
    assert (state.epoch, state.step, state.parts) == (0, 3, 2)
    caplog.clear()
    history = train(songs, tmp_path / "run", model=again)
    assert not warnings(caplog)
    np.testing.assert_allclose(losses(history), losses(expected), rtol=1e-4)


def test_no_memory_for_a_single_crop(songs, tmp_path):
    model = Plain()
    model.most = 0
    refused(
        "out of memory with a single crop on a device",
        songs, tmp_path / "run", {"data": {**tiny_runs.RECIPE["data"], "batch_size": 1}}, model,
    )  # fmt: skip


def test_tensorflow_divides_no_batches_on_several_devices(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    with pytest.raises(InputError, match="batches of 8 crops on 2 devices, where Keras cannot"):
        recovery.check_share(RunState(8, parts=2), devices=2)
    recovery.check_share(RunState(8, parts=2), devices=1)


def test_other_errors_pass(songs, tmp_path):
    def fail(_model):
        raise RuntimeError("no such thing")

    with pytest.raises(RuntimeError, match="no such thing"):
        train(songs, tmp_path / "run", callbacks=[At(fail, batch=1)])


def test_errors_of_memory_are_known():
    assert recovery.ran_out_of_memory(exhausted())
    wrapped = ValueError("while handling it")
    wrapped.__context__ = exhausted()
    assert recovery.ran_out_of_memory(wrapped)
    assert recovery.ran_out_of_memory(type("OutOfMemoryError", (RuntimeError,), {})("CUDA"))
    assert not recovery.ran_out_of_memory(ResourceExhaustedError("No space left on device"))
    assert not recovery.ran_out_of_memory(RuntimeError("INTERNAL: something else"))


@pytest.mark.parametrize(
    ("size", "parts", "devices", "expected"),
    [(16, 1, 1, 2), (16, 4, 2, 8), (9, 1, 1, 3), (6, 2, 1, 6), (14, 1, 2, 7)],
)
def test_smaller_parts(size, parts, devices, expected, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    state = RunState(size, parts=parts)
    recovery.divide_batches(state, devices)
    assert state.parts == expected
