"""Passes are epochs, whatever looks at the data before training does."""

import os
import subprocess
import sys
import textwrap
from types import SimpleNamespace

import numpy as np
import pytest

from kerasep.data import waveforms, write_songs

MODEL = SimpleNamespace(sources=("vocals", "bass"), sample_rate=8000, channels=1)
OPTIONS = {"batch_size": 2, "crop_seconds": 0.5}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "songs"
    write_songs(folder, 3, seconds=2.0, sample_rate=8000)
    return folder


def test_a_look_at_the_first_batch_is_no_pass(folder):
    dataset = waveforms(folder, MODEL, **OPTIONS)
    (look,) = [mixture.numpy() for mixture, _ in dataset.take(1)]
    first = [mixture.numpy() for mixture, _ in dataset]
    (second, _) = [mixture.numpy() for mixture, _ in dataset.take(2)]
    (third, *_) = [mixture.numpy() for mixture, _ in dataset]
    np.testing.assert_array_equal(look, first[0])
    assert not np.array_equal(first[0], second)
    assert not np.array_equal(second, third)


def test_the_number_of_threads_changes_nothing(folder):
    options = OPTIONS | {"remix": 1.0, "min_level": -30.0, "augment": {"reverberate": {}}}
    dataset = waveforms(folder, MODEL, threads=1, **options)
    expected = waveforms(folder, MODEL, threads=4, **options)
    for _ in range(2):
        for batch, other in zip(dataset, expected, strict=True):
            for one, two in zip(batch, other, strict=True):
                np.testing.assert_array_equal(one, two)


FIT = """
import sys
import keras
from types import SimpleNamespace
from kerasep.data import waveforms

model = SimpleNamespace(sources=("vocals", "bass"), sample_rate=8000, channels=1)
dataset = waveforms(sys.argv[1], model, batch_size=2, crop_seconds=0.5)
inputs = keras.Input((4000, 1))
outputs = keras.layers.Dense(2, kernel_initializer="ones")(inputs)
network = keras.Model(inputs, keras.layers.Reshape((4000, 1, 2))(outputs))
network.compile("sgd", "mse")
history = network.fit(dataset, epochs=3, shuffle=False, verbose=0).history["loss"]
print(keras.backend.backend(), *history)
"""


@pytest.mark.slow
def test_fit_sees_the_same_batches_on_every_backend(folder):
    losses = {}
    for backend in ("tensorflow", "jax"):
        pytest.importorskip(backend)
        environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
        output = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(FIT), str(folder)],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        name, *values = output.split()[-4:]
        losses[name] = np.array(values, float)
    np.testing.assert_allclose(losses["jax"], losses["tensorflow"], rtol=1e-4)
