"""The same two seconds with short and long frames."""

import matplotlib.pyplot as plt
from drawing import RATE, song, spectrogram

from kerasep import ops

mixture = song(2.0).sum(axis=-1)
figure, axes = plt.subplots(1, 3, figsize=(10, 3), sharey=True)
for panel, n_fft in zip(axes, (128, 512, 2048), strict=True):
    hop = n_fft // 4
    magnitude = ops.magnitude(ops.stft(mixture, n_fft, hop))[0, :, :, 0]
    drawn = spectrogram(panel, magnitude, hop=hop)
    panel.set(
        title=f"n_fft {n_fft}: {1000 * n_fft / RATE:.0f} ms, bins {RATE / n_fft:.1f} Hz apart",
        ylim=(0, 3),
    )
for panel in axes[1:]:
    panel.set_ylabel("")
figure.colorbar(drawn, ax=axes, label="dB below the loudest bin")
