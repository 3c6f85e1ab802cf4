"""The loss of two estimates that change from one order of the sources to the other."""

import matplotlib.pyplot as plt
import numpy as np
from drawing import BLUE, GREEN, GREY, ORANGE, song

from kerasep import losses

stems = song(1.0)
truth = stems[..., [0, 3]]
truth = truth / np.sqrt(np.mean(truth**2, axis=1, keepdims=True))
turns = np.linspace(0, np.pi / 2, 91).astype("float32")
cosine, sine = np.cos(turns)[:, None, None], np.sin(turns)[:, None, None]
first = cosine * truth[..., 0] + sine * truth[..., 1]
second = sine * truth[..., 0] + cosine * truth[..., 1]
estimates = np.stack([first, second], axis=-1)
many = np.repeat(truth, len(turns), axis=0)

figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.2))
shares = np.degrees(turns)
for loss, colour, style, label in (
    (losses.SNR(), GREY, ":", "in the given order"),
    (losses.PermutationInvariant(losses.SNR()), BLUE, "-", "PermutationInvariant"),
    (losses.SinkPIT(losses.SNR(), sharpness=0.3), ORANGE, "--", "SinkPIT, sharpness 0.3"),
):
    loss.reduction = None
    axes[0].plot(shares, loss(many, estimates), style, color=colour, label=label)
axes[0].set(
    title="SNR of two estimates",
    xlabel="turn from one order to the other (degrees)",
    ylabel="loss (dB)",
    xticks=range(0, 91, 15),
    ylim=(-30, 12),
)
axes[0].legend()
error = np.linspace(-40, 10, 101)
rng = np.random.default_rng(0)
noise = rng.standard_normal(truth.shape[1:]).astype("float32")
noisy = truth + 10 ** (error[:, None, None, None] / 20).astype("float32") * noise
for loss, colour, label in (
    (losses.SNR(), GREY, "SNR"),
    (losses.ThresholdedSNR(limit=20), GREEN, "ThresholdedSNR, limit 20"),
    (losses.LogL1(), BLUE, "LogL1"),
):
    loss.reduction = None
    axes[1].plot(error, loss(np.repeat(truth, 101, axis=0), noisy), color=colour, label=label)
axes[1].set(title="noise on both sources", xlabel="noise to source (dB)", ylabel="loss (dB)")
axes[1].legend()
