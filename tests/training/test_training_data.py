"""The batches of a run: whole epochs, one after the other, read ahead of the epoch's end."""

import threading

import numpy as np
import pytest
from tiny_runs import RECIPE, tiny

from kerasep import data
from kerasep.data.sampling.reader import Reader
from kerasep.errors import InputError
from kerasep.training.run_state import RunState
from kerasep.training.training_data import TrainingData

BATCHES = 5  # in an epoch


@pytest.fixture
def batches(tmp_path):
    data.write_songs(tmp_path, 4, seconds=1.0, sample_rate=8000)
    return TrainingData(tiny(), tmp_path, None, RECIPE["data"], seed=0, devices=1)


def numbers(dataset, count):
    return [magnitude.numpy().sum() for magnitude, _ in dataset.take(count)]


def test_one_epoch_follows_the_other(batches):
    run, steps = batches.training(RunState(batch_size=4))
    assert steps == BATCHES
    expected = []
    for epoch in range(3):
        dataset, _ = batches.training(RunState(batch_size=4, epoch=epoch))
        expected += numbers(dataset, BATCHES)
    np.testing.assert_array_equal(numbers(run, 3 * BATCHES), expected)
    resumed, steps = batches.training(RunState(batch_size=4, epoch=1, step=3, parts=2))
    assert steps == 2 * (BATCHES - 3)
    halves = np.reshape(numbers(resumed, 2 * 4), (4, 2)).sum(axis=1)
    np.testing.assert_allclose(halves, expected[8:12], rtol=1e-5)


def test_several_steps_at_once_take_no_batch_of_the_next_epoch(batches):
    batches.model.steps_per_execution = 2
    dataset, steps = batches.training(RunState(batch_size=4))
    assert (steps, len(numbers(dataset, 2 * BATCHES))) == (None, BATCHES)
    dataset, steps = batches.training(RunState(batch_size=4, step=1))
    assert (steps, len(numbers(dataset, 2 * BATCHES))) == (BATCHES - 1, 2 * BATCHES)
    batches.data_service = "tcp://127.0.0.1:1"
    with pytest.raises(InputError, match="steps_per_execution=2 for an epoch of 5 batches"):
        batches.training(RunState(batch_size=4))


def test_the_next_epoch_is_read_before_it_begins(batches, monkeypatch):
    begun, read = threading.Event(), Reader.batch

    def batch(self, epoch, first, last):
        if epoch == 1:
            begun.set()
        return read(self, epoch, first, last)

    monkeypatch.setattr(Reader, "batch", batch)
    dataset, steps = batches.training(RunState(batch_size=4))
    iterator = iter(dataset)
    for _ in range(steps):
        next(iterator)
    assert begun.wait(120)  # as while the model is validated


def test_other_data_than_before_are_refused(batches):
    with pytest.raises(InputError, match="has done 5 batches of an epoch of 5"):
        batches.training(RunState(batch_size=4, step=5))
