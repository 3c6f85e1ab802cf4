"""A waveform in a spectrogram model: every step and its shape."""

import matplotlib.pyplot as plt
import numpy as np
from drawing import BLUE, GREEN, RATE, TRANSFORM, image, reference, song, spectrogram, two_sources

from kerasep import ops, targets

stems = two_sources(song())
spectra = reference(stems)
mixture = ops.magnitude(spectra[..., 0, :])
mask = targets.ideal_ratio_mask(spectra)
estimate = ops.apply_mask(mask, spectra[..., 0, :])[..., 0, :]
waveform = ops.istft(estimate, **TRANSFORM, length=stems.shape[1])
time = np.arange(stems.shape[1]) / RATE

figure, axes = plt.subplots(1, 4, figsize=(10, 2.5))
axes[0].plot(time, stems[0].sum(axis=-1)[:, 0], lw=0.4, color=BLUE)
axes[0].set(title="waveform\n(1, 24000, 1)", xlabel="time (s)", ylabel="amplitude", ylim=(-1, 1))
drawn = spectrogram(axes[1], mixture[0, :, :, 0])
axes[1].set_title(f"magnitude\n{tuple(mixture.shape)}")
figure.colorbar(drawn, ax=axes[1], label="dB")
drawn = image(axes[2], mask[0, :, :, 0, 0], vmin=0, vmax=1, cmap="viridis")
axes[2].set_title(f"masks (first of two)\n{tuple(mask.shape)}")
figure.colorbar(drawn, ax=axes[2])
axes[3].plot(time, np.asarray(waveform)[0, :, 0], lw=0.4, color=GREEN)
axes[3].set(title="a source's waveform\n(1, 24000, 1)", xlabel="time (s)", ylim=(-1, 1))
