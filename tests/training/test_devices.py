"""Several devices and processes: the losses of one, and what is refused."""

import json
import os
import pathlib
import socket
import subprocess
import sys

import keras
import numpy as np
import pytest
from tiny_runs import refused, tiny, train

from kerasep.errors import InputError
from kerasep.training import devices, fit

HERE = pathlib.Path(__file__).parent


def start(songs, out, *options, **environment):
    return subprocess.Popen(
        [sys.executable, HERE / "tiny_runs.py", songs, out, *options],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parent), *sys.path])}
        | environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def histories(process):
    output, errors = process.communicate(timeout=500)
    assert process.returncode == 0, errors[-3000:]
    return [json.loads(line) for line in output.splitlines() if line.startswith("[{")]


def compare(history, expected):
    assert len(history) == len(expected) == 3
    for row, other in zip(history, expected, strict=True):
        for key in ("loss", "val_loss", "learning_rate"):
            assert row[key] == pytest.approx(other[key], rel=1e-4), (row["epoch"], key)


@pytest.mark.slow
def test_two_devices_of_tensorflow(songs, tmp_path):
    process = start(songs, tmp_path, "virtual=2", "devices=[1,2]", KERAS_BACKEND="tensorflow")
    one, two = histories(process)
    compare(two, one)
    assert {path.name for path in (tmp_path / "2").iterdir()} == {
        "final_state.npz", "history.csv", "model.keras", "recipe.json", "tensorboard",
    }  # fmt: skip


@pytest.mark.slow
def test_four_devices_of_jax(songs, tmp_path):
    pytest.importorskip("jax")
    process = start(
        songs, tmp_path, 'devices=[1,"all"]',
        KERAS_BACKEND="jax", XLA_FLAGS="--xla_force_host_platform_device_count=4",
    )  # fmt: skip
    one, all_four = histories(process)
    compare(all_four, one)


@pytest.mark.slow
def test_two_processes(songs, tmp_path):
    """Each reads its share of the batches; the first writes, and both come to the same end."""
    pytest.importorskip("jax")
    (one,) = histories(start(songs, tmp_path / "one", KERAS_BACKEND="jax"))
    with socket.socket() as held:
        # So that nobody else is given the port before JAX listens there, which shares ports.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(("127.0.0.1", 0))
        processes = [
            start(
                songs, tmp_path / "two", 'devices="all"', KERAS_BACKEND="jax",
                KERAS_DISTRIBUTION_JOB_ADDRESSES=f"127.0.0.1:{held.getsockname()[1]}",
                KERAS_DISTRIBUTION_NUM_PROCESSES="2", KERAS_DISTRIBUTION_PROCESS_ID=str(number),
            )
            for number in range(2)
        ]  # fmt: skip
        for process in processes:
            (history,) = histories(process)
            compare(history, one)
    assert len(list((tmp_path / "two" / "all" / "tensorboard").glob("train/*"))) == 1


def test_a_batch_that_devices_cannot_share(songs, tmp_path, monkeypatch):
    monkeypatch.setattr(fit, "count", lambda _devices: 3)
    message = "batches of 4 crops for 3 devices, expected a multiple"
    refused(message, songs, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_numbers_of_devices():
    assert devices.count(1) == 1
    for wrong in (0, "many", 1.5, None):
        with pytest.raises(InputError, match="expected 'all' or a number from 1 on"):
            devices.count(wrong)
    message = "expected 1: several" if keras.backend.backend() == "torch" else "but there are"
    with pytest.raises(InputError, match=message):
        devices.count(1000)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="others compile whole steps")
@pytest.mark.parametrize(
    ("cudnn", "jit_compile", "expected"),
    [(True, None, "autoclustering"), (True, False, ""), (False, None, "")],
)
def test_what_surrounds_cudnn_s_layers_is_compiled(songs, tmp_path, cudnn, jit_compile, expected):
    import tensorflow as tf

    seen = []
    note = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(tf.config.optimizer.get_jit())
    )
    model = tiny()
    model.layers[-1].supports_jit = not cudnn  # as Keras marks an LSTM on a GPU
    recipe = {"epochs": 1}
    train(songs, tmp_path / "run", recipe, model, jit_compile=jit_compile, callbacks=[note])
    assert set(seen) == {expected}
    assert tf.config.optimizer.get_jit() == ""


def test_torch_has_one(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    assert devices.count("all") == 1
    with pytest.raises(InputError, match="KERAS_BACKEND=torch, expected 1"):
        devices.count(2)


def test_hosts_need_jax(monkeypatch):
    monkeypatch.setenv(devices.ADDRESSES, "127.0.0.1:1")
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    with pytest.raises(InputError, match="KERAS_BACKEND=tensorflow, expected jax"):
        devices.join_hosts()


def test_what_processes_agree_on(monkeypatch):
    """The first one's bytes, or its refusal."""

    class Made:
        def write(self, file):
            file.write(b"the first one's")

    sent = []

    def from_first(payload):
        sent.append(payload)
        return payload

    monkeypatch.setattr(devices, "_from_first", from_first)
    monkeypatch.setattr(devices, "process", lambda: (0, 2))
    assert isinstance(devices.agreed(Made, None), Made)

    def refuse():
        raise InputError("received nothing")

    with pytest.raises(InputError, match="received nothing"):
        devices.agreed(refuse, None)
    assert sent == [b"", b"the first one's", b"received nothing"]

    answers = iter([b"", b"the first one's", b"received nothing"])
    monkeypatch.setattr(devices, "_from_first", lambda payload: next(answers))
    monkeypatch.setattr(devices, "process", lambda: (1, 2))
    read = lambda file: np.frombuffer(file.read(), "S15")[0]  # noqa: E731
    assert devices.agreed(refuse, read) == b"the first one's"
    with pytest.raises(InputError, match="received nothing"):
        devices.agreed(refuse, read)
