"""Convergence of Griffin-Lim and MISI."""

import matplotlib.pyplot as plt
import numpy as np
from drawing import BLUE, GREEN, GREY, ORANGE, TRANSFORM, reference, song, two_sources

from kerasep import ops, targets

stems = two_sources(song(2.0))
mixture = stems.sum(axis=-1)
spectra = reference(stems)
true = targets.magnitude_target(spectra)
samples = stems.shape[1]
steps = np.array([0, 1, 2, 4, 8, 16, 32, 64])

figure, (convergence, quality) = plt.subplots(1, 2, figsize=(9.5, 3.2))
vocals = true[..., 0]
for momentum, colour, label in ((0.0, GREY, "Griffin-Lim"), (0.99, BLUE, "momentum 0.99")):
    distances = []
    for count in steps:
        waveform = ops.griffin_lim(
            vocals, **TRANSFORM, iterations=int(count), momentum=momentum, length=samples
        )
        error = ops.magnitude(ops.stft(waveform, **TRANSFORM)) - vocals
        distances.append(20 * np.log10(np.linalg.norm(error) / np.linalg.norm(vocals)))
    convergence.plot(np.arange(len(steps)), distances, "o-", ms=3, color=colour, label=label)
convergence.set(
    title="true magnitude of the vocals, random phases",
    ylabel="distance of the magnitudes (dB)",
)

mask = targets.ideal_ratio_mask(spectra)
masked = mask * ops.magnitude(spectra[..., 0, :])[..., None]
for magnitudes, colour, label in ((true, GREEN, "true magnitudes"), (masked, ORANGE, "ratio mask")):
    scores = []
    for count in steps:
        estimate = ops.misi(mixture, magnitudes, **TRANSFORM, iterations=int(count))
        scores.append(float(np.mean(ops.si_sdr(stems, estimate))))
    quality.plot(np.arange(len(steps)), scores, "o-", ms=3, color=colour, label=label)
quality.set(title="MISI from the mixture's phase", ylabel="SI-SDR, mean of both sources (dB)")
for panel in (convergence, quality):
    panel.set_xticks(np.arange(len(steps)), steps)
    panel.set_xlabel("iterations")
    panel.legend()
