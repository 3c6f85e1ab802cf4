"""Mel filters, a spectrogram on the mel scale, and the inverse."""

import matplotlib.pyplot as plt
import numpy as np
from drawing import RATE, TRANSFORM, image, song, spectrogram, to_db

from kerasep import ops
from kerasep.layers import InverseMelScale, MelScale

MELS = 48
magnitude = ops.magnitude(ops.stft(song(2.0).sum(axis=-1), **TRANSFORM))
bands = MelScale(RATE, mels=MELS)(magnitude)
again = InverseMelScale(RATE, n_fft=TRANSFORM["n_fft"])(bands)
loudest = float(np.max(magnitude))

figure, axes = plt.subplots(1, 4, figsize=(10.5, 2.8))
filters = ops.mel_filterbank(TRANSFORM["n_fft"], RATE, mels=MELS)
khz = np.arange(len(filters)) * RATE / TRANSFORM["n_fft"] / 1000
axes[0].plot(khz, filters[:, ::4], lw=1)
axes[0].set(title=f"every fourth of {MELS} filters", xlabel="frequency (kHz)", ylabel="weight")
spectrogram(axes[1], magnitude[0, :, :, 0], loudest)
axes[1].set_title(f"{magnitude.shape[2]} bins")
image(
    axes[2],
    to_db(bands[0, :, :, 0], float(np.max(bands))),
    vmin=-60,
    vmax=0,
    extent=(0, 2, 0, MELS),
)
axes[2].set(title=f"{MELS} mel bands", ylabel="band")
drawn = spectrogram(axes[3], again[0, :, :, 0], loudest)
axes[3].set(title="and back", ylabel="")
figure.colorbar(drawn, ax=axes[3], label="dB")
