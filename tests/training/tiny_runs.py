"""A model and a recipe so small that a run of several epochs takes seconds; programs that run it.

`python tests/training/tiny_runs.py SONGS OUT [OPTION=JSON ...]` trains; tests do so in processes
of their own, to kill them or to give them other devices. It prints the history.
"""

import json
import logging
import pathlib
import sys

import keras

from kerasep import training
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
    """Train it, on all songs and validated on them too."""
    recipe = {**RECIPE, **(recipe or {})}
    return training.train(model or tiny(), songs, out, valid=songs, recipe=recipe, **options)


def main(songs, out, *options):
    """Train as the command line says: once, or with each of a list of numbers of devices."""
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
