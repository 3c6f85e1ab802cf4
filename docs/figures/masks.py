"""A mixture, and three masks for the vocals computed from the true sources."""

import matplotlib.pyplot as plt
import numpy as np
from drawing import image, reference, song, spectrogram, two_sources

from kerasep import ops, targets

spectra = reference(two_sources(song()))
mixture = ops.magnitude(spectra[..., 0, :])
vocals = targets.magnitude_target(spectra)[..., 0]
masks = {
    "ideal binary mask": targets.ideal_binary_mask(spectra),
    "ideal ratio mask": targets.ideal_ratio_mask(spectra),
    "ideal phase-sensitive mask": targets.ideal_phase_sensitive_mask(spectra),
}

figure, axes = plt.subplots(2, 4, figsize=(10, 4.6), sharex=True, sharey=True)
loudest = np.max(mixture)
drawn = spectrogram(axes[0, 0], mixture[0, :, :, 0], loudest)
axes[0, 0].set_title("mixture")
spectrogram(axes[1, 0], vocals[0, :, :, 0], loudest)
axes[1, 0].set_title("vocals alone")
for column, (title, mask) in enumerate(masks.items(), 1):
    shown = image(axes[0, column], mask[0, :, :, 0, 0], vmin=0, vmax=1, cmap="viridis")
    axes[0, column].set_title(title)
    estimate = ops.apply_mask(mask, mixture)
    spectrogram(axes[1, column], estimate[0, :, :, 0, 0], loudest)
    axes[1, column].set_title("mask times mixture")
for panel in axes[:, 1:].flat:
    panel.set_ylabel("")
for panel in axes[0]:
    panel.set_xlabel("")
figure.colorbar(shown, ax=axes[0], label="mask value")
figure.colorbar(drawn, ax=axes[1], label="dB below the loudest bin")
