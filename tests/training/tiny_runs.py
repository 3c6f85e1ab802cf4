"""A model and a recipe so small that a run of several epochs takes seconds.

`python tests/training/tiny_runs.py SONGS OUT [OPTION=JSON ...]` trains in a process that tests can
kill or start with other devices. It prints the history.
"""

import json
import logging
import pathlib
import sys

import keras
import numpy as np
import pytest

from kerasep import training
from kerasep.errors import InputError
from kerasep.models import SeparationModel
from kerasep.training import devices

RECIPE = {
    "epochs": 3,
    "loss": {"class_name": "TruncatedPhaseSensitive", "config": {}},
    "optimizer": {"class_name": "Adam", "config": {"learning_rate": 0.01}},
    "plateau": {"factor": 0.5, "patience": 1, "min_delta": 10.0},
    "data": {"batch_size": 4, "crop_seconds": 0.25, "crops_per_track": 5},
}


class Tiny(SeparationModel):
    """A mask from every frame alone, with batch normalisation and, if wanted, dropout."""

    def __init__(self, dropout=0.0):
        mixture = keras.Input((None, 33, 1))
        x = keras.layers.Reshape((-1, 33))(mixture)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.Dense(16, "relu")(x)
        x = keras.layers.Dropout(dropout)(x)
        mask = keras.layers.Dense(33, "sigmoid")(x)
        mask = keras.layers.Reshape((-1, 33, 1, 1))(mask)
        super().__init__(mixture, mask * mixture[..., None])
        self.dropout = dropout
        self.sources, self.sample_rate, self.channels = ("vocals",), 8000, 1
        self.stft = {"n_fft": 64, "hop": 32}


def tiny(dropout=0.0, seed=0):
    """Build the model."""
    keras.utils.set_random_seed(seed)
    return Tiny(dropout)


def train(songs, out, recipe=None, model=None, **options):
    """Train it on all songs, and validate it on them too."""
    recipe = {**RECIPE, **(recipe or {})}
    return training.train(model or tiny(), songs, out, valid=songs, recipe=recipe, **options)


class Killed(BaseException):
    """Ends a run as a signal would end the process."""


class At(keras.callbacks.Callback):
    """Do something after a number of batches, or at the beginning of an epoch."""

    def __init__(self, action, batch=None, epoch=None):
        super().__init__()
        self.action, self.batch, self.epoch, self.seen = action, batch, epoch, 0

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            self.action(self.model)

    def on_train_batch_end(self, batch, logs=None):
        self.seen += 1
        if self.seen == self.batch:
            self.action(self.model)


def die(_model):
    raise Killed


def kill(songs, out, recipe=None, model=None, batch=None, epoch=None, callbacks=(), **options):
    """Train until the run is killed there."""
    callbacks = [*callbacks, At(die, batch, epoch)]
    with pytest.raises(Killed):
        train(songs, out, recipe, model, callbacks=callbacks, **options)


def refused(message, songs, out, recipe=None, model=None, **options):
    """Check that training raises an InputError of one line."""
    with pytest.raises(InputError, match=message) as caught:
        train(songs, out, recipe, model, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def load(folder):
    """Load the best model of a run."""
    return keras.saving.load_model(folder / "model.keras", custom_objects={"Tiny": Tiny})


def files(folder):
    """List the names in a folder."""
    return sorted(path.name for path in folder.iterdir())


FINISHED = ["final_state.npz", "history.csv", "model.keras", "recipe.json", "tensorboard"]


def losses(history):
    """Return what a resumed run must reproduce, as an array."""
    return np.array([(row["loss"], row["val_loss"], row["learning_rate"]) for row in history])


def warnings(caplog):
    """Return the warnings that training has logged."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("kerasep.training") and record.levelname == "WARNING"
    ]


def main(songs, out, *options):
    """Train with the command line's options, once per number in a list of `devices`."""
    logging.basicConfig(format="%(message)s")
    options = {name: json.loads(value) for name, value in (word.split("=") for word in options)}
    if virtual := options.pop("virtual", 0):
        import tensorflow as tf

        (cpu,) = tf.config.list_physical_devices("CPU")
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration() for _ in range(virtual)]
        )
    devices.join_hosts()
    dropout = options.pop("dropout", 0.0)
    numbers = options.pop("devices", 1)
    for number in numbers if isinstance(numbers, list) else [numbers]:
        folder = pathlib.Path(out, str(number))
        history = train(songs, folder, model=tiny(dropout), devices=number, **options)
        sys.stdout.write(json.dumps(history) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
