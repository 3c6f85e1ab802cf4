"""Level of every bin of a few songs, before and after whitening."""

import matplotlib.pyplot as plt
import numpy as np
from drawing import BLUE, GREY, ORANGE, RATE, TRANSFORM, song

from kerasep import ops
from kerasep.layers import Whitening

songs = [ops.magnitude(ops.stft(song(seed=s).sum(axis=-1), **TRANSFORM)) for s in range(4)]
whitening = Whitening()
whitening.adapt(songs)

figure, axes = plt.subplots(1, 2, figsize=(9.5, 3))
khz = np.arange(TRANSFORM["n_fft"] // 2 + 1) * RATE / TRANSFORM["n_fft"] / 1000
for panel, title, batches in (
    (axes[0], "magnitudes", songs),
    (axes[1], "whitened", [whitening(magnitude) for magnitude in songs]),
):
    values = np.concatenate([np.asarray(batch)[0, :, :, 0] for batch in batches])
    panel.plot(khz, values[::40].T, color=GREY, lw=0.3, alpha=0.4)
    panel.plot(khz, values.mean(axis=0), color=ORANGE, label="mean")
    panel.plot(khz, values.std(axis=0), color=BLUE, label="standard deviation")
    panel.set(title=title, xlabel="frequency (kHz)")
axes[0].set(ylabel="value", yscale="log", ylim=(1e-3, 1e2))
axes[1].set_ylim(-2, 6)
axes[0].legend(loc="lower left")
