"""What all frameworks of `fit_speed.py` train on: a few ready batches of noise."""

import numpy as np

LEARNING_RATE = 1e-4
BATCHES = 3


def batches(case):
    """Return batches of mixture `(batch, samples, channels)` and sources with one axis more."""
    rng = np.random.default_rng(0)
    shape = (case["batch"], case["samples"], case["channels"], case["sources"])
    sources = [0.1 * rng.standard_normal(shape, dtype="float32") for _ in range(BATCHES)]
    return [(source.sum(axis=-1), source) for source in sources]
