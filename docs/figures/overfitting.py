"""Loss of a small model on its training songs, and on others."""

import keras
import matplotlib.pyplot as plt
import numpy as np
from drawing import BLUE, ORANGE, RATE, reference, song, two_sources

from kerasep import losses, ops
from kerasep.models import OpenUnmixLike

TRANSFORM = {"n_fft": 256, "hop": 128}
STEPS, BATCH = 80, 2


def examples(seeds):
    """Magnitudes and references of the vocals of songs, a batch of them."""
    stems = [two_sources(song(2.0, seed=seed)) for seed in seeds]
    references = np.concatenate([reference(stem, TRANSFORM) for stem in stems])[..., :2, :]
    return np.asarray(ops.magnitude(references[..., 0, :])), references


others = examples(range(100, 104))
figure, axes = plt.subplots(1, 2, figsize=(9.5, 3.2), sharey=True)
for panel, count in zip(axes, (2, 16), strict=True):
    magnitudes, references = examples(range(count))
    keras.utils.set_random_seed(0)
    model = OpenUnmixLike(["vocals"], RATE, 1, **TRANSFORM, hidden=64, lstm_layers=1, max_hz=None)
    model.compile(keras.optimizers.Adam(1e-2), losses.TruncatedPhaseSensitive())
    history = model.fit(
        magnitudes,
        references,
        validation_data=others,
        batch_size=BATCH,
        epochs=STEPS * BATCH // count,
        verbose=0,
    ).history
    steps = np.arange(1, len(history["loss"]) + 1) * count // BATCH
    panel.plot(steps, history["loss"], color=BLUE, label="the songs it is trained on")
    panel.plot(steps, history["val_loss"], color=ORANGE, label="other songs")
    panel.set(title=f"trained on {count} songs", xlabel="step", ylim=(0, 0.8))
axes[0].set_ylabel("tPSA loss")
axes[0].legend()
