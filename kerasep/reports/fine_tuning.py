"""Fine-tuning within a time limit, with a score after each round; the best weights are kept."""

import itertools
import math
import time
from collections.abc import Callable

import keras
import numpy as np

from kerasep import data, losses
from kerasep.metrics import scores
from kerasep.models import SeparationModel
from kerasep.separation.separator import as_separator

ROUNDS = 12
RATE = 5e-4
BATCH = {"batch_size": 4, "crop_seconds": 3.0, "crops_per_track": 8}


def fine_tune(
    model: SeparationModel,
    train: list[data.Track],
    valid: list[data.Track],
    seconds: float,
    report: Callable[[dict], object],
) -> list[dict]:
    """Train a model within a time limit, keep its best weights, and return a dict per round.

    The time is divided into rounds of at least one step, each followed by scores of the `valid`
    tracks. The weights that the model came with take part in the comparison, so that it never gets
    worse. A row has `steps`, `seconds`, `loss` (None at first), and per source the SI-SDR
    improvement in dB.
    """
    songs = [track.read(model.sources, model.sample_rate, model.channels) for track in valid]
    separator = as_separator(model)
    model.compile(
        keras.optimizers.Adam(RATE, global_clipnorm=5.0),
        loss=keras.losses.deserialize(model.recipe["loss"], custom_objects=vars(losses)),
        jit_compile=False,  # which would take longer than it saves
    )
    batches = iter(data.spectrograms(train, model, **{**model.recipe["data"], **BATCH}).repeat())
    history: list[dict] = []
    best, weights, loss = -math.inf, model.get_weights(), None
    began = time.monotonic()
    steps = 0
    for number in range(ROUNDS + 1):
        for step in itertools.count():
            share = (time.monotonic() - began) / max(seconds, 1e-9)
            if not number or (step and share >= number / ROUNDS):
                break
            model.optimizer.learning_rate = RATE * (1 + math.cos(math.pi * min(share, 1))) / 2
            loss = float(np.asarray(model.train_on_batch(*next(batches))))
            steps += 1
        row = {"steps": steps, "seconds": round(time.monotonic() - began, 1), "loss": loss}
        row |= improvements(separator, songs)
        history.append(row)
        report(row)
        mean = float(np.mean([row[source] for source in model.sources]))
        if mean > best:
            best, weights = mean, model.get_weights()
    model.set_weights(weights)
    return history


def improvements(separator: keras.Model, songs: list) -> dict[str, float]:
    """Return the SI-SDR improvement per source in dB, the mean over songs."""
    rows = []
    for mixture, stems in songs:
        estimates = np.asarray(separator.predict_on_batch(mixture[None]))[0]
        rows.append(
            [
                _si_sdr(stems[..., index], estimates[..., index])
                - _si_sdr(stems[..., index], mixture)
                for index in range(len(separator.sources))
            ]
        )
    return dict(zip(separator.sources, np.mean(rows, axis=0).tolist(), strict=True))


def _si_sdr(reference, estimate):
    return scores(reference, estimate, ["si_sdr"])["si_sdr"]
