"""Influence of each input frame on an output of a recurrent layer."""

import keras
import matplotlib.pyplot as plt
import numpy as np
from drawing import BLUE, GREEN, GREY, ORANGE

from kerasep.layers import RecurrentStack

FRAMES, MARKED, TRIES = 120, 60, 4
rng = np.random.default_rng(0)
frames = rng.standard_normal((FRAMES, 16)).astype("float32")
# Copies of the sequence for each frame, with that frame changed.
changed = np.tile(frames, (TRIES, FRAMES, 1, 1))
every = np.arange(FRAMES)
changed[:, every, every] += rng.standard_normal((TRIES, FRAMES, 16)) / 10


def influence(units, forget_bias=1.0, **options):
    """Length of the change at the marked frame, relative to that of its own input frame."""
    keras.utils.set_random_seed(0)
    stack = RecurrentStack(units, **options)
    stack.build((None, FRAMES, 16))
    for layer in stack.cells:
        for one in (layer.forward_layer, layer.backward_layer) if stack.bidirectional else (layer,):
            bias = np.array(one.cell.bias)
            bias[units : 2 * units] = forget_bias
            one.cell.bias.assign(bias)
    before = np.asarray(stack(frames[None]))[0, MARKED]
    after = np.asarray(stack(changed.reshape(-1, FRAMES, 16)))[:, MARKED]
    distance = np.mean(np.square(after - before), axis=-1).reshape(TRIES, FRAMES)
    root = np.sqrt(distance.mean(axis=0))
    return root / root[MARKED]


figure, (units, directions) = plt.subplots(1, 2, figsize=(9.5, 3.3), sharey=True)
x = np.arange(FRAMES) - MARKED
for count, bias, colour, style, label in (
    (8, 1.0, BLUE, "-", "8 units, forget bias 1"),
    (128, 1.0, ORANGE, "--", "128 units, forget bias 1"),
    (8, 5.0, GREEN, "-", "8 units, forget bias 5"),
):
    values = influence(count, bias, bidirectional=False)
    units.semilogy(x, values, style, color=colour, label=label)
for both, colour, label in ((False, GREY, "one direction"), (True, BLUE, "both directions")):
    values = influence(32, 2.0, bidirectional=both)
    directions.semilogy(x, values, color=colour, label=label)
for panel, title in ((units, "units and gates"), (directions, "directions")):
    panel.axvline(0, color="k", lw=0.6)
    panel.set(title=title, xlabel="changed frame, relative to the output's", ylim=(1e-5, 3))
    panel.legend(loc="upper right" if panel is units else "lower right")
units.set_ylabel("influence on the output")
