"""Batches from the workers of a data service; the workers are processes of their own."""

import itertools
import os
import signal
import socket
import threading
import time
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasep import data
from kerasep.data.sampling.failures import input_errors
from kerasep.errors import InputError

MODEL = SimpleNamespace(
    sources=("vocals", "bass"), sample_rate=8000, channels=1, stft={"n_fft": 256, "hop": 64}
)
SETTINGS = {"batch_size": 2, "crop_seconds": 0.5, "crops_per_track": 2}


@pytest.fixture(scope="module")
def service():
    with data.serving(workers=2) as service:
        yield service


@pytest.fixture
def pool(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("theo", "lucas", "george"):
        for number in range(3):
            (tmp_path / name).mkdir(exist_ok=True)
            noise = rng.uniform(-0.5, 0.5, (2000 + 900 * number, 1)).astype("float32")
            data.write(tmp_path / name / f"{number}.wav", noise, 8000)
    return data.find_pool(tmp_path)


def kill(worker):
    os.kill(worker.process.pid, signal.SIGKILL)


def numbered(local, first, count):
    """Batches `first` to `first + count` of the local pipeline, over its epochs."""
    epochs = (batch for _ in iter(int, 1) for batch in local.as_numpy_iterator())
    return list(itertools.islice(epochs, first, first + count))


def assert_same(served, local):
    for one, other in zip(served, local, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])


def test_every_batch_arrives_once_and_in_order(service, songs):
    served = data.waveforms(songs, MODEL, data_service=service.address, **SETTINGS)
    local = data.waveforms(songs, MODEL, **SETTINGS)
    assert_same(served.take(12).as_numpy_iterator(), numbered(local, 0, 12))


@pytest.mark.slow
def test_every_batch_arrives_when_a_worker_is_killed(service, songs):
    served = data.waveforms(songs, MODEL, data_service=service.address, **SETTINGS)
    pids = {worker.process.pid for worker in service.workers}
    arrived = []
    for batch in served.take(400).as_numpy_iterator():
        arrived.append(batch)
        if len(arrived) in (50, 200):
            kill(service.workers[len(arrived) == 200])
    assert_same(arrived, numbered(data.waveforms(songs, MODEL, **SETTINGS), 0, 400))
    deadline = time.monotonic() + 120
    while len({worker.process.pid for worker in service.workers} - pids) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_several_trainers_share_the_workers(service, songs):
    served = data.waveforms(songs, MODEL, data_service=service.address, **SETTINGS)
    other = data.waveforms(songs, MODEL, data_service=service.address, seed=9, **SETTINGS)
    pairs = list(tf.data.Dataset.zip(served, other).take(10).as_numpy_iterator())
    local = data.waveforms(songs, MODEL, **SETTINGS)
    assert_same([one for one, _ in pairs], numbered(local, 0, 10))
    local = data.waveforms(songs, MODEL, seed=9, **SETTINGS)
    assert_same([two for _, two in pairs], numbered(local, 0, 10))


def test_pools_travel(service, pool):
    model = SimpleNamespace(sources=("speaker_1", "speaker_2"), sample_rate=8000, channels=1)
    settings = SETTINGS | {"snr": (-3, 3), "level": -25}
    served = data.waveforms(pool, model, data_service=service.address, **settings)
    local = data.waveforms(pool, model, **settings)
    assert_same(served.take(6).as_numpy_iterator(), numbered(local, 0, 6))


def test_a_broken_off_pass_lets_go_of_the_workers(service, songs):
    before = threading.active_count()
    served = data.waveforms(songs, MODEL, data_service=service.address, **SETTINGS)
    for _ in range(3):
        assert len(list(served.take(2))) == 2
    deadline = time.monotonic() + 120
    while threading.active_count() > before:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_live_batches_are_those_of_the_local_pipeline(service, songs, monkeypatch):
    monkeypatch.chdir(songs.parent)  # the workers have another working directory
    settings = {"seed": 3, "first_epoch": 4, "augment": {"mask_spectrum": {}}, **SETTINGS}
    local = data.spectrograms(songs.name, MODEL, **settings)
    served = data.spectrograms(songs.name, MODEL, data_service=service.address, **settings)
    assert served.element_spec == local.element_spec
    assert served.cardinality() == tf.data.INFINITE_CARDINALITY
    assert_same(served.take(10).as_numpy_iterator(), numbered(local, 0, 10))


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
    settings = {"batch_size": 2, "crop_seconds": 0.1, "crops_per_track": 12}
    local = data.waveforms("shards", MODEL, **settings)
    served = data.waveforms("shards", MODEL, data_service=service.address, **settings)
    assert served.element_spec == local.element_spec
    assert_same(served.take(20).as_numpy_iterator(), numbered(local, 0, 20))


def test_prepared_spectrograms_are_those_of_the_local_pipeline(service, songs, tmp_path):
    data.prepare(songs, tmp_path / "shards", MODEL, format="spectrogram")
    settings = {"batch_size": 2, "crop_seconds": 0.5, "seed": 2, "first_epoch": 1, "first_step": 1}
    local = data.spectrograms(tmp_path / "shards", MODEL, **settings)
    served = data.spectrograms(tmp_path / "shards", MODEL, data_service=service.address, **settings)
    assert served.element_spec == local.element_spec
    assert_same(served.take(4).as_numpy_iterator(), numbered(local, 0, 4))


@pytest.mark.slow
def test_training_goes_on_when_a_worker_is_killed(service, songs):
    batches = data.spectrograms(songs, MODEL, data_service=service.address, **SETTINGS)
    steps = 40
    model = keras.Sequential([keras.layers.Dense(1)])

    def at_step(step, logs=None):
        # Once: in the next epoch the worker may not have been started again yet.
        if model.optimizer.iterations == 10:
            kill(service.workers[1])

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


def test_what_cannot_travel(songs):
    """Functions of the user's, and settings that are no numbers, are refused by the trainer."""
    address = "tcp://127.0.0.1:1"
    wanted = r"cannot travel to the workers .* read prepared shards .* or train without a service"
    with pytest.raises(InputError, match=wanted):
        data.waveforms(songs, MODEL, data_service=address, seed=np.array(3), **SETTINGS)
    with pytest.raises(InputError, match="received semitones=49"):
        data.waveforms(songs, MODEL, data_service=address, semitones=49, **SETTINGS)


@pytest.mark.parametrize("address", ["", "localhost", "http://localhost:1", "localhost:1:2"])
def test_addresses(address, songs):
    with pytest.raises(InputError, match="expected tcp://HOST:PORT"):
        data.waveforms(songs, MODEL, data_service=address, **SETTINGS)


def test_nobody_answers(songs):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(InputError, match=r"nobody answers at .* start kerasep data serve"):
            data.waveforms(songs, MODEL, data_service=address, **SETTINGS)


def test_each_of_several_processes_reads_its_own(songs):
    with pytest.raises(InputError, match=r"data_service and part=\(0, 2\)"):
        data.waveforms(songs, MODEL, data_service="tcp://127.0.0.1:1", part=(0, 2), **SETTINGS)


def test_validation_stays_at_home(songs):
    with pytest.raises(InputError, match="validate without it"):
        data.waveforms(songs, MODEL, training=False, data_service="tcp://127.0.0.1:1")
