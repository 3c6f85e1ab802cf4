"""Scores of estimates of the vocals with different errors."""

import matplotlib.pyplot as plt
import numpy as np
from drawing import BLUE, GREEN, GREY, ORANGE, PURPLE, RATE, song

from kerasep.metrics import bss_eval, median_over_frames, scores

stems = song(3.0)[0]
truth = np.stack([stems[..., 0], stems[..., 1:].sum(axis=-1)], axis=-1)
vocals, rest = truth[..., 0], truth[..., 1]
rng = np.random.default_rng(0)


def below(error, decibels=12.0):
    """An error, brought to a level below the vocals'."""
    level = np.linalg.norm(vocals) / np.linalg.norm(error) * 10 ** (-decibels / 20)
    return error * level


delayed = np.concatenate([np.zeros((40, 1)), vocals[:-40]])
muffled = vocals + np.concatenate([np.zeros((1, 1)), vocals[:-1]])
muffled *= np.sum(muffled * vocals) / np.sum(muffled**2)
estimates = {
    "12 dB too soft": 0.25 * vocals,
    "an echo, 5 ms": vocals + below(delayed),
    "muffled": vocals + below(muffled - vocals),
    "the other source": vocals + below(rest),
    "noise": vocals + below(rng.standard_normal(vocals.shape)),
    "the mixture": vocals + rest,
}
table = []
for estimate in estimates.values():
    both = np.stack([estimate, rest], axis=-1)
    frames = median_over_frames(bss_eval(truth, both, RATE))
    own = scores(vocals.astype("float32"), estimate.astype("float32"))
    table.append([own["si_sdr"], *(frames[key][0] for key in ("sdr", "isr", "sir", "sar"))])

figure, panel = plt.subplots(figsize=(9.5, 3.4))
names = ("SI-SDR", "SDR", "ISR", "SIR", "SAR")
colours = (GREY, BLUE, GREEN, ORANGE, PURPLE)
for index, (name, colour) in enumerate(zip(names, colours, strict=True)):
    values = np.clip([row[index] for row in table], -5, 40)
    places = np.arange(len(estimates)) + 0.16 * (index - 2)
    panel.bar(places, values, 0.14, color=colour, label=name)
panel.set_xticks(np.arange(len(estimates)), estimates)
panel.set(ylabel="score (dB), cut at 40", ylim=(-6, 42))
panel.legend(ncols=5, loc="upper center", bbox_to_anchor=(0.5, 1.17))
panel.grid(axis="x", visible=False)
