"""Pipelines over the workers of a tf.data service; the workers are processes of their own."""

import functools
import hashlib
import os
import pickle
import signal
import socket
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasep import data
from kerasep.data.failures import input_errors
from kerasep.data.service import answer
from kerasep.errors import InputError

MODEL = SimpleNamespace(
    sources=("vocals", "bass"), sample_rate=8000, channels=1, stft={"n_fft": 256, "hop": 64}
)
SETTINGS = {"batch_size": 2, "crop_seconds": 0.5, "crops_per_track": 2}


@pytest.fixture(scope="module")
def service():
    with data.serving(workers=2) as service:
        yield service


def digest(array):
    return hashlib.sha256(array.tobytes()).hexdigest()


def kill(worker):
    os.kill(worker.process.pid, signal.SIGKILL)


def test_every_element_arrives_once(service):
    numbers = tf.data.Dataset.range(1000)
    arrived = [int(n) for n in data.distributed(numbers, service.address)]
    assert sorted(arrived) == list(range(1000))


@pytest.mark.slow
def test_at_most_once_when_a_worker_is_killed(service):
    count = 20_000
    arrived, pids = [], {worker.process.pid for worker in service.workers}
    for number in data.distributed(tf.data.Dataset.range(count), service.address):
        arrived.append(int(number))
        if len(arrived) == 500:
            kill(service.workers[0])
    assert len(set(arrived)) == len(arrived)
    assert set(arrived) <= set(range(count))
    assert count - len(arrived) < 200  # what the killed worker was working on
    assert len({worker.process.pid for worker in service.workers} - pids) == 1


def test_a_worker_runs_no_code_that_it_is_sent(tmp_path):
    class Hostile:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "made"),)

    class Indirect:
        def __reduce__(self):
            return eval, ("1",)

    whole = pickle.dumps(Hostile(), protocol=4)
    dotted = b"\x80\x04\x8c\x14kerasep.data.service\x8c\x08os.mkdir\x93\x8c\x01x\x85R."
    imported = b"\x80\x04\x8c\x14kerasep.data.service\x8c\x0dhost_and_port\x93\x8c\x01x\x85R."
    for packed in (whole, pickle.dumps(Indirect()), dotted, imported):
        with pytest.raises(InputError, match="is no part of a job"):
            answer(packed, 0)
    assert not (tmp_path / "made").exists()


def test_live_batches_are_those_of_the_local_pipeline(service, songs, monkeypatch):
    monkeypatch.chdir(songs.parent)  # the workers have another working directory
    settings = {"seed": 3, "first_epoch": 4, "augment": {"mask_spectrum": {}}, **SETTINGS}
    local = data.spectrograms(songs.name, MODEL, **settings)
    served = data.spectrograms(songs.name, MODEL, data_service=service.address, **settings)
    assert served.element_spec == local.element_spec
    assert served.cardinality() == tf.data.INFINITE_CARDINALITY
    found = list(served.take(10).as_numpy_iterator())
    # Out of order, but not far: one worker may still be opening its files.
    nearby = {
        digest(magnitude): reference
        for _ in range(20)  # epochs
        for magnitude, reference in local.as_numpy_iterator()
    }
    assert len({digest(magnitude) for magnitude, _ in found}) == 10
    assert {digest(magnitude) for magnitude, _ in found} <= nearby.keys()
    for magnitude, reference in found:
        np.testing.assert_array_equal(reference, nearby[digest(magnitude)])


def test_settings_that_a_model_keeps_travel(service, songs):
    keeper = keras.layers.Layer()
    keeper.recipe = {"gain": [0.5, 1.0], "augment": {"limit_band": {"low": [20, 90]}}}
    assert type(keeper.recipe["gain"]) is not list  # but one that Keras watches
    settings = SETTINGS | keeper.recipe
    served = data.waveforms(songs, MODEL, data_service=service.address, **settings)
    assert len(list(served.take(2))) == 2


@pytest.mark.slow
def test_prepared_batches_are_those_of_the_local_pipeline(service, songs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data.prepare(songs, "shards", MODEL)
    settings = {"batch_size": 2, "crop_seconds": 0.1, "crops_per_track": 12}  # three runs an epoch
    local = data.waveforms("shards", MODEL, **settings)
    served = data.waveforms("shards", MODEL, data_service=service.address, **settings)
    assert served.element_spec == local.element_spec
    found = [digest(mixture) for mixture, _ in served.take(20).as_numpy_iterator()]
    nearby = {digest(m) for _ in range(8) for m, _ in local.as_numpy_iterator()}
    assert len(set(found)) == 20
    assert set(found) <= nearby


@pytest.mark.slow
def test_training_goes_on_when_a_worker_is_killed(service, songs):
    batches = data.spectrograms(songs, MODEL, data_service=service.address, **SETTINGS)
    steps = 40

    def at_step(step, logs=None):
        if step == 10:
            kill(service.workers[1])

    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", loss="mse")
    history = model.fit(
        batches.map(lambda magnitude, _: (magnitude, magnitude)),
        epochs=2,
        steps_per_epoch=steps,
        shuffle=False,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=at_step)],
    )
    assert model.optimizer.iterations == 2 * steps
    assert np.isfinite(history.history["loss"]).all()


def test_what_a_worker_cannot_read_is_said_here(service, songs, tmp_path):
    folder = tmp_path / "songs"
    data.write_songs(folder, 2, seconds=1.0, sample_rate=8000)
    batches = data.waveforms(folder, MODEL, data_service=service.address, **SETTINGS)
    for path in folder.rglob("*.flac"):
        path.unlink()
    with pytest.raises(InputError, match=r"song_\d+/\w+\.flac is missing"), input_errors():
        list(batches.take(1))


def test_python_functions_stay_at_home(service, songs):
    local = data.waveforms(songs, MODEL, **SETTINGS)
    with pytest.raises(InputError, match=r"PyFunc.* give data_service to .* prepared shards"):
        data.distributed(local, service.address)


def test_what_cannot_travel():
    plan = functools.partial(lambda: None)
    job = data.service.Job(plan, 100, MODEL, None, None, 2, 3)
    with pytest.raises(InputError, match="cannot travel to the workers"):
        data.service.live_batches(job, 0, "grpc://127.0.0.1:1")


def test_other_versions_are_refused():
    with pytest.raises(InputError, match=r"kerasep 0\.0\.0 .* install the same"):
        data.service.answer(pickle.dumps(("0.0.0", None)), 0)


def test_only_a_fresh_process_is_a_worker():
    first = tf.numpy_function(lambda x: x, [1.0], tf.float32)
    assert first == 1.0
    with pytest.raises(RuntimeError, match="expected pyfunc_0"):
        data.service.register()


@pytest.mark.parametrize("address", ["", "localhost", "http://localhost:1", "localhost:1:2"])
def test_addresses(address):
    with pytest.raises(InputError, match="expected grpc://HOST:PORT"):
        data.distributed(tf.data.Dataset.range(3), address)


def test_nobody_answers():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        address = f"grpc://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(InputError, match=r"nobody answers at .* start kerasep data serve"):
            data.distributed(tf.data.Dataset.range(3), address)


def test_each_of_several_processes_reads_its_own(songs):
    with pytest.raises(InputError, match=r"data_service and part=\(0, 2\)"):
        data.waveforms(songs, MODEL, data_service="grpc://127.0.0.1:1", part=(0, 2), **SETTINGS)


def test_validation_stays_at_home(songs):
    with pytest.raises(InputError, match="validate without it"):
        data.waveforms(songs, MODEL, training=False, data_service="grpc://127.0.0.1:1")
