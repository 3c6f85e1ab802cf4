"""Targets of one bin against the angle between source and mixture, and the angles in a song."""

import matplotlib.pyplot as plt
import numpy as np
from drawing import BLUE, GREEN, GREY, ORANGE, SOURCES, reference, song

from kerasep import ops, targets

angle = np.linspace(0, np.pi, 181)
mixture = np.stack([np.ones_like(angle), np.zeros_like(angle)], axis=-1)
source = 1.2 * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
bins = targets.pack_reference(mixture[None, :, None, None], source[None, :, None, None, None])

figure, (curves, counts) = plt.subplots(1, 2, figsize=(9, 3.2))
degrees = np.degrees(angle)
for target, label, style in (
    (targets.magnitude_target(bins), "MSA", {"color": GREY, "lw": 2}),
    (targets.phase_sensitive_target(bins), "PSA", {"color": ORANGE, "lw": 2}),
    (targets.truncated_phase_sensitive_target(bins), "tPSA", {"color": BLUE, "lw": 2, "ls": "--"}),
):
    curves.plot(degrees, np.ravel(target), label=label, **style)
curves.axhspan(0, 1, color=GREEN, alpha=0.1, label="reach of a mask from 0 to 1")
curves.set(
    title="a source 1.2 times as strong as the mixture",
    xlabel="angle between source and mixture (degrees)",
    ylabel="target over |Y|",
    xticks=range(0, 181, 45),
)
curves.legend()

spectra = reference(song())
parts = np.asarray(targets.phase_sensitive_target(spectra))
for index, (name, colour) in enumerate(zip(SOURCES, (BLUE, ORANGE, GREEN, GREY), strict=True)):
    level = np.ravel(ops.magnitude(spectra[..., 1 + index, :]))
    cosine = np.clip(np.ravel(parts[..., index]) / np.maximum(level, 1e-9), -1, 1)
    counts.hist(
        np.degrees(np.arccos(cosine)),
        bins=36,
        weights=100 * level**2 / np.sum(level**2),
        histtype="step",
        lw=1.5,
        color=colour,
        label=name,
    )
counts.set(
    title="the four sources of a song",
    xlabel="angle between source and mixture (degrees)",
    ylabel="share of the source's energy (%)",
    xticks=range(0, 181, 45),
    yscale="log",
    ylim=(0.01, 100),
)
counts.legend()
