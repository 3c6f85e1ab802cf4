"""Trains a model of the zoo to separate two speakers, on mixtures that are made as it goes.

    python zoo/two_speakers/train.py conv_tasnet_like/digits recordings run.keras --minutes 9

The preset's loss and optimiser are used; the learning rate falls along half a cosine over the time
that is given. Any backend of Keras will do, and TensorFlow need not be installed.
"""

import argparse
import json
import math
import pathlib
import queue
import threading
import time

import keras
import numpy as np
from mixtures import RATE, example, unpack, words

import kerasep
from kerasep import losses

STEPS = 50  # of an epoch, after which the learning rate changes


def waveforms(found, batch, seconds, seed, workers):
    """Endless batches `(batch, samples, 1, 2)`, made by several threads ahead of their use."""
    ready = queue.Queue(maxsize=4 * workers)

    def work(own):
        rng = np.random.default_rng([seed, own])
        while True:
            made = [example(rng, found, round(seconds * RATE)) for _ in range(batch)]
            ready.put(np.stack(made))

    for own in range(workers):
        threading.Thread(target=work, args=(own,), daemon=True).start()
    while True:
        yield ready.get()


def prepared(model, batches):
    """What the model takes, and its y_true."""
    for sources in batches:
        mixture = sources.sum(axis=-1)
        if model.domain == "waveform":
            yield mixture, sources
            continue
        every = np.concatenate([mixture[..., None], sources], axis=-1)
        spectra = kerasep.ops.stft(every[:, :, 0], **model.stft)
        # (batch, frames, bins, 3, 2): mixture and sources lie where channels would
        reference = spectra[:, :, :, None]
        x = kerasep.ops.magnitude(reference[..., 0, :])
        yield x, keras.tree.map_structure(lambda _, y=reference: y, model.output)


class TimedCosine(keras.callbacks.Callback):
    """Lowers the learning rate to nothing over the time that is given, and stops then."""

    def __init__(self, minutes):
        super().__init__()
        self.minutes = minutes

    def on_train_begin(self, logs=None):
        """Start the clock."""
        self.begin = time.monotonic()
        self.highest = float(self.model.optimizer.learning_rate)

    def on_epoch_begin(self, epoch, logs=None):
        """Set the rate."""
        share = min(1.0, (time.monotonic() - self.begin) / 60 / self.minutes)
        rate = self.highest * (0.5 + 0.5 * math.cos(math.pi * share))
        self.model.optimizer.learning_rate = max(rate, 1e-7)

    def on_epoch_end(self, epoch, logs=None):
        """Stop when the time is over."""
        minutes = (time.monotonic() - self.begin) / 60
        logs["minutes"] = minutes
        self.model.stop_training = minutes >= self.minutes


def made(loss):
    """Build a loss from a recipe."""
    return keras.losses.deserialize(loss, custom_objects=vars(losses))


def main():
    """Train, and save the model with its history."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name", help="a preset of the zoo for two speakers")
    parser.add_argument("recordings", type=pathlib.Path, help="folder, or file of mixtures.pack")
    parser.add_argument("out", type=pathlib.Path, help="the .keras file to write")
    parser.add_argument("--first", type=int, default=10, help="lowest index that is used")
    parser.add_argument("--last", type=int, default=49, help="highest index that is used")
    parser.add_argument("--minutes", type=float, default=9.0)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--workers", type=int, default=2, help="threads that make mixtures")
    parser.add_argument("--learning-rate", type=float, help="instead of the preset's")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    keras.utils.set_random_seed(options.seed)
    packed = options.recordings.suffix == ".npz"
    found = (
        unpack(options.recordings)
        if packed
        else words(options.recordings, options.first, options.last)
    )
    model = kerasep.zoo.load(options.name)
    optimizer = keras.optimizers.get(model.recipe["optimizer"])
    if options.learning_rate:
        optimizer.learning_rate = options.learning_rate
    loss = model.recipe["loss"]
    heads = isinstance(model.output, dict)
    loss = {head: made(one) for head, one in loss.items()} if heads else made(loss)
    model.compile(optimizer, loss=loss, loss_weights=model.recipe.get("loss_weights"))
    batches = waveforms(found, options.batch, options.seconds, options.seed, options.workers)
    history = model.fit(
        prepared(model, batches),
        steps_per_epoch=STEPS,
        epochs=100_000,
        callbacks=[TimedCosine(options.minutes)],
        verbose=2,
    )
    # A fresh model, without the optimizer's state, is a third of the size.
    trained = type(model).from_config(model.get_config())
    trained.set_weights(model.get_weights())
    trained.save(options.out)
    options.out.with_suffix(".json").write_text(json.dumps(history.history))


if __name__ == "__main__":
    main()
