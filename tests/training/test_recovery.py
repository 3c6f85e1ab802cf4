"""Runs that are killed, diverge, or find too little memory: they end as others do."""

import csv
import logging
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

from kerasep.errors import InputError
from kerasep.training import fit, recovery
from kerasep.training.run_state import RunState

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import tiny_runs
from tiny_runs import Tiny, tiny, train

BATCHES = 5  # in an epoch of the four songs


class Count(keras.callbacks.Callback):
    """Does something after so many batches of a run, or of what is left of it."""

    def __init__(self, batches, action):
        super().__init__()
        self.left, self.action = batches, action

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            self.action(self.model)


def stop(_model):
    raise KeyboardInterrupt


def same(model, other):
    for weight, expected in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(weight, expected, rtol=0, atol=1e-6)


def losses(history):
    return [(row["loss"], row["val_loss"], row["learning_rate"]) for row in history]


@pytest.fixture(scope="module")
def unbroken(songs, tmp_path_factory):
    """The model, the history and the folder of a run without events."""
    model = tiny(dropout=0.3)
    folder = tmp_path_factory.mktemp("unbroken") / "run"
    return model, train(songs, folder, model=model), folder


@pytest.mark.parametrize("batches", [[2], pytest.param([1, 3, 4], marks=pytest.mark.slow)])
def test_a_run_goes_on_from_within_an_epoch(unbroken, songs, tmp_path, batches):
    """With its dropout, running loss, optimizer, learning rate and crops."""
    for count in batches:
        with pytest.raises(KeyboardInterrupt):
            train(
                songs, tmp_path / "run", model=tiny(0.3, seed=7 if count > 2 else 0),
                save_minutes=0, callbacks=[Count(count, stop)],
            )  # fmt: skip
    state = RunState.read(tmp_path / "run" / "state.npz")
    assert (state.epoch, state.step) == divmod(sum(batches), BATCHES)
    model = tiny(0.3, seed=1)
    history = train(songs, tmp_path / "run", model=model)
    same(model, unbroken[0])
    np.testing.assert_allclose(losses(history), losses(unbroken[1]), rtol=1e-5)
    names = sorted(path.name for path in (tmp_path / "run").iterdir())
    assert names == ["history.csv", "model.keras", "recipe.json", "tensorboard"]


def test_the_state_is_written_when_it_is_time(songs, tmp_path):
    """After five minutes, by default, so not in this epoch: its beginning is what is kept."""
    with pytest.raises(KeyboardInterrupt):
        train(songs, tmp_path / "run", callbacks=[Count(BATCHES + 3, stop)])
    state = RunState.read(tmp_path / "run" / "state.npz")
    assert (state.epoch, state.step) == (1, 0)


def test_a_kill_before_the_last_state_is_removed(unbroken, songs, tmp_path, monkeypatch):
    """Costs nothing: the same call only tidies up, whatever ended the run."""
    with monkeypatch.context() as patch:
        patch.setattr(fit.RunFolder, "finish", stop)
        with pytest.raises(KeyboardInterrupt):
            train(songs, tmp_path / "run", model=tiny(0.3))
    (tmp_path / "run" / "history.csv").unlink()
    model = tiny(0.3, seed=1)
    history = train(songs, tmp_path / "run", model=model)
    np.testing.assert_allclose(losses(history), losses(unbroken[1]), rtol=1e-5)
    same(model, unbroken[0])
    assert not (tmp_path / "run" / "state.npz").exists()
    assert (tmp_path / "run" / "history.csv").is_file()


def test_a_damaged_state_is_told(songs, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train(songs, tmp_path / "run", callbacks=[Count(1, stop)])
    path = tmp_path / "run" / "state.npz"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"state.npz, which is damaged"):
        train(songs, tmp_path / "run")


def kill(songs, out, times):
    """Train in processes of their own that are killed at random moments."""
    command = [sys.executable, tiny_runs.__file__, songs, out, "dropout=0.3", "save_minutes=0"]
    state = out / "1" / "state.npz"
    for _ in range(times):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        before = state.stat().st_mtime_ns if state.exists() else None
        while process.poll() is None and (not state.exists() or state.stat().st_mtime_ns == before):
            time.sleep(0.005)
        time.sleep(random.uniform(0, 0.3))
        process.send_signal(signal.SIGKILL)
        process.wait()


def best(folder):
    return keras.saving.load_model(folder / "model.keras", custom_objects={"Tiny": Tiny})


@pytest.mark.parametrize("times", [1, pytest.param(6, marks=pytest.mark.slow)])
def test_a_run_killed_at_random_moments(unbroken, songs, tmp_path, times, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    kill(songs, tmp_path, times)
    folder = tmp_path / "1"
    if (folder / "state.npz").exists():  # it had no time to come to its end
        train(songs, folder, model=tiny(0.3, seed=0 if times == 1 else 1), save_minutes=0)
    with open(folder / "history.csv", newline="") as file:
        history = [{key: float(row[key]) for key in row} for row in csv.DictReader(file)]
    np.testing.assert_allclose(losses(history), losses(unbroken[1]), rtol=1e-5)
    same(best(folder), best(unbroken[2]))


def break_once(model):
    weight = model.trainable_variables[0]
    weight.assign(np.full(weight.shape, np.nan))


def test_a_loss_that_is_not_finite_once(songs, tmp_path, caplog):
    """Back to the last state, at half the rate; the run ends with all of its epochs."""
    history = train(
        songs, tmp_path / "run", save_minutes=0, callbacks=[Count(BATCHES + 2, break_once)]
    )
    assert len(history) == 3
    assert np.isfinite(losses(history)).all()
    assert [row["learning_rate"] for row in history] == pytest.approx([0.01, 0.005, 0.0025])
    (record,) = [
        record
        for record in caplog.records
        if (record.name, record.levelname) == ("kerasep.training.fit", "WARNING")
    ]
    assert record.levelno == logging.WARNING
    assert record.message == (
        "loss nan in epoch 2: back to epoch 2, batch 3, with the learning rate halved"
    )


@pytest.mark.slow
def test_weights_that_are_not_finite_are_never_kept(songs, tmp_path):
    """They are found by the next loss, with the state from before them still there."""

    class Spoil(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if int(self.model.optimizer.iterations) == 2:
                break_once(self.model)

    with pytest.raises(InputError, match=r"loss nan in epoch 1, also with .* 5 times"):
        train(songs, tmp_path / "run", save_minutes=0, callbacks=[Spoil()])
    state = RunState.read(tmp_path / "run" / "state.npz")
    assert (state.step, state.halvings) == (2, 5)
    assert all(np.isfinite(array).all() for array in state.arrays.values())


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

    train(songs, tmp_path / "run", recipe=recipe, callbacks=[Rate(), Count(7, break_once)])
    assert rates == pytest.approx([1e-3, 0.5e-4, 0.5e-5])


class ResourceExhaustedError(Exception):
    """As JAX's and PyTorch's, TensorFlow's own is used where it is there."""


def exhausted():
    """The error that the backend raises."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")
    if keras.backend.backend() == "torch":
        import torch

        return torch.OutOfMemoryError("CUDA out of memory.")
    import jax

    return jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 8 bytes")


class Limited(Tiny):
    """Finds no memory for a larger batch."""

    most = 2

    def call(self, inputs, training=None, mask=None):
        if training and inputs.shape[0] is not None and inputs.shape[0] > self.most:
            raise exhausted()
        return super().call(inputs, training=training, mask=mask)


class Plain(Limited):
    """Without batch normalisation, which sees the parts alone."""

    def __init__(self, dropout=0.0):
        super().__init__(dropout)
        for layer in self.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.trainable = False


@pytest.mark.slow
@pytest.mark.parametrize(("most", "parts"), [(2, 2), (1, 4)])
def test_a_batch_that_does_not_fit_is_taken_in_parts(songs, tmp_path, caplog, most, parts):
    """The same crops, and the same steps of the optimizer, as if it had fitted."""
    keras.utils.set_random_seed(0)
    whole, limited = Plain(), Plain()
    limited.set_weights(whole.get_weights())
    whole.most, limited.most = 4, most
    expected = train(songs, tmp_path / "whole", model=whole)
    state = []
    history = train(
        songs, tmp_path / "parts", model=limited,
        callbacks=[Count(3 * parts, lambda model: state.append(int(model.optimizer.iterations)))],
    )  # fmt: skip
    assert state == [3]
    np.testing.assert_allclose(losses(history), losses(expected), rtol=1e-4)
    for weight, other in zip(limited.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(weight, other, atol=1e-4)
    messages = [
        record.message
        for record in caplog.records
        if (record.name, record.levelname) == ("kerasep.training.fit", "WARNING")
    ]
    assert messages[-1] == (
        f"out of memory: back to epoch 1, batch 1, with each batch of 4 taken in {parts} parts"
    )
    assert len(messages) == {2: 1, 4: 2}[parts]


@pytest.mark.slow
def test_parts_are_kept_over_a_kill(songs, tmp_path, caplog):
    keras.utils.set_random_seed(0)
    whole, limited, again = Plain(), Plain(), Plain()
    limited.set_weights(whole.get_weights())
    whole.most = 4
    expected = train(songs, tmp_path / "whole", model=whole)
    with pytest.raises(KeyboardInterrupt):
        train(songs, tmp_path / "run", model=limited, save_minutes=0, callbacks=[Count(7, stop)])
    state = RunState.read(tmp_path / "run" / "state.npz")
    assert (state.epoch, state.step, state.parts) == (0, 3, 2)
    caplog.clear()
    history = train(songs, tmp_path / "run", model=again)
    assert not [
        record
        for record in caplog.records
        if (record.name, record.levelname) == ("kerasep.training.fit", "WARNING")
    ]
    np.testing.assert_allclose(losses(history), losses(expected), rtol=1e-4)


def test_no_memory_for_a_single_crop(songs, tmp_path):
    model = Plain()
    model.most = 0
    with pytest.raises(InputError, match="out of memory with a single crop on a device"):
        train(songs, tmp_path / "run", model=model)


def test_tensorflow_takes_no_parts_on_several_devices(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    with pytest.raises(InputError, match="batches of 8 crops on 2 devices, and Keras takes none"):
        fit._check_share(RunState(8, parts=2), devices=2)
    fit._check_share(RunState(8, parts=2), devices=1)


def test_other_errors_pass(songs, tmp_path):
    def fail(_model):
        raise RuntimeError("no such thing")

    with pytest.raises(RuntimeError, match="no such thing"):
        train(songs, tmp_path / "run", callbacks=[Count(1, fail)])


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
    [(16, 1, 1, 2), (16, 4, 2, 2), (9, 1, 1, 3), (6, 2, 1, 3), (14, 1, 2, 7)],
)
def test_smaller_parts(size, parts, devices, expected):
    assert recovery.smaller_parts(size, parts, devices) == expected
    assert size % (parts * expected * devices) == 0
