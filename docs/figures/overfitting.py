"""Loss of a small model on the songs that it is trained on, and on others."""

import keras
import matplotlib.pyplot as plt
import numpy as np
from drawing import BLUE, GREY, ORANGE, TRANSFORM, reference, song

from kerasep import losses, ops
from kerasep.models import OpenUnmixLike

keras.utils.set_random_seed(0)
SOURCES = ("vocals", "drums", "bass", "other")


def examples(seeds):
    """Magnitudes and references of songs, a batch of them."""
    references = np.concatenate([reference(song(3.0, seed=seed)) for seed in seeds])
    return np.asarray(ops.magnitude(references[..., 0, :])), references


few, many, others = examples(range(2)), examples(range(16)), examples(range(100, 104))
figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.2), sharey=True)
for panel, data, epochs, title in (
    (axes[0], few, 100, "2 songs"),
    (axes[1], many, 25, "16 songs"),
):
    model = OpenUnmixLike(SOURCES[:1], 8000, 1, **TRANSFORM, hidden=64, lstm_layers=1, max_hz=None)
    model.compile(keras.optimizers.Adam(3e-3), losses.TruncatedPhaseSensitive())
    sources = [0, 1]  # the mixture and the vocals
    history = model.fit(
        data[0],
        data[1][..., sources, :],
        validation_data=(others[0], others[1][..., sources, :]),
        batch_size=2,
        epochs=epochs,
        verbose=0,
    ).history
    best = int(np.argmin(history["val_loss"]))
    steps = np.arange(1, epochs + 1) * len(data[0]) // 2
    panel.plot(steps, history["loss"], color=BLUE, label="songs trained on")
    panel.plot(steps, history["val_loss"], color=ORANGE, label="other songs")
    panel.plot(steps[best], history["val_loss"][best], "o", color=ORANGE)
    panel.axvline(steps[best], color=GREY, lw=0.8, ls=":")
    panel.set(title=f"trained on {title}", xlabel="step")
axes[0].set_ylabel("tPSA loss")
axes[0].legend()
