"""Features of a song's frames, without dropout and with it."""

import keras
import matplotlib.pyplot as plt
import numpy as np
from drawing import TRANSFORM, song

from kerasep import ops

keras.utils.set_random_seed(0)
mixture = ops.magnitude(ops.stft(song(1.0).sum(axis=-1), **TRANSFORM))[..., 0]
features = keras.layers.Dense(48, activation="tanh")(keras.ops.log(mixture + 1e-2))
dropped = keras.layers.Dropout(0.4)(features, training=True)

figure, axes = plt.subplots(1, 2, figsize=(9, 2.8), sharey=True)
for panel, values, title in (
    (axes[0], features, "in use: untouched"),
    (axes[1], dropped, "in training: 40% are 0, the others 1 / 0.6 times as large"),
):
    drawn = panel.imshow(
        np.asarray(values)[0].T, aspect="auto", cmap="RdBu_r", vmin=-1.7, vmax=1.7, origin="lower"
    )
    panel.set(title=title, xlabel="frame")
    panel.grid(False)
axes[0].set_ylabel("feature")
figure.colorbar(drawn, ax=axes, label="value")
