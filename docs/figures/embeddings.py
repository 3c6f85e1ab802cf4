"""Deep clustering of a song's two halves: embeddings before and after training, and the mask."""

import keras
import matplotlib.pyplot as plt
import numpy as np
from drawing import BLUE, ORANGE, image, reference, song, two_sources

from kerasep import layers, losses, ops, targets

TRANSFORM = {"n_fft": 256, "hop": 128}
keras.utils.set_random_seed(0)
spectra = reference(two_sources(song(2.0)), TRANSFORM)
magnitude = ops.magnitude(spectra[..., 0, :])
dominant = np.asarray(targets.dominant_source(spectra))[..., 0]
batch, frames, bins, channels = magnitude.shape

logarithm = np.log(np.asarray(magnitude) + 1e-2)
whitening = layers.Whitening()
whitening.adapt([logarithm])
inputs = keras.Input((None, bins, channels))
x = keras.layers.Reshape((-1, bins * channels))(whitening(inputs))
x = layers.RecurrentStack(64)(x)
head = layers.EmbeddingHead(bins, channels, embedding=20, activation="tanh")
model = keras.Model(inputs, head(x))
model.compile(keras.optimizers.Adam(1e-2), loss=losses.DeepClustering())

loud = np.ravel(magnitude) > 0.02 * np.max(magnitude)
chosen = np.flatnonzero(loud)[::5]


def points(embedding):
    """The two directions in which the embeddings of loud bins vary most."""
    vectors = np.asarray(embedding).reshape(-1, 20)[chosen]
    centred = vectors - vectors.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    return centred @ directions[:2].T


figure, axes = plt.subplots(1, 4, figsize=(10.5, 2.9))
shown = {"before training": points(model(logarithm))}
model.fit(logarithm, np.asarray(spectra), epochs=40, verbose=0)
embedding = model(logarithm)
shown["after 40 steps"] = points(embedding)
for panel, (title, where) in zip(axes, shown.items(), strict=False):
    for value, colour, label in ((1, BLUE, "vocals"), (0, ORANGE, "the rest")):
        own = np.ravel(dominant)[chosen] == value
        panel.plot(*where[own].T, ".", ms=2, color=colour, label=label)
    panel.set(title=title, xlabel="first direction", ylabel="second direction")
axes[1].legend(markerscale=4, loc="upper center")

masks = np.asarray(layers.KMeans(2)(embedding, magnitude))[0, :, :, 0]
# Which cluster is whose is not known: take the one that has more of the vocals.
agreement = (masks * dominant[0]).sum(axis=(0, 1))
mask = masks[..., agreement.argmax()]
image(axes[2], dominant[0, :, :, 0], TRANSFORM["hop"], cmap="viridis", vmin=0, vmax=1)
axes[2].set_title("vocals the loudest")
image(axes[3], mask, TRANSFORM["hop"], cmap="viridis", vmin=0, vmax=1)
axes[3].set_title("k-means")
axes[3].set_ylabel("")
