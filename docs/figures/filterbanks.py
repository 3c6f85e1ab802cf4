"""Frequency responses of filterbanks: fixed, parametrised, and learned in a separator."""

import keras
import matplotlib.pyplot as plt
import numpy as np
from drawing import RATE, song, two_sources

from kerasep import layers, losses, ops

KERNEL, FILTERS = 32, 64
keras.utils.set_random_seed(0)
data = np.concatenate([two_sources(song(4.0, seed=seed)) for seed in range(8)])
data = data.reshape(-1, 4000, 1, 2)

waveform = keras.Input((None, 1))
small = keras.initializers.RandomNormal(stddev=0.02)
analysis = layers.LearnedAnalysis(FILTERS, KERNEL, activation="relu", initializer=small)
features = analysis(waveform)
x = keras.layers.Reshape((-1, FILTERS))(features)
x = layers.TemporalConvNet(blocks=4, repeats=1, bottleneck=32, hidden=64, skip=32)(x)
masks = layers.MaskHead(FILTERS, 1, sources=2)(x)
estimates = layers.LearnedSynthesis(KERNEL)(layers.ApplyMask()(masks, features), like=waveform)
model = keras.Model(waveform, estimates)
model.compile(keras.optimizers.Adam(3e-3, clipnorm=5.0), loss=losses.SNR())
untrained = np.array(analysis.filters)
model.fit(data.sum(axis=-1), data, batch_size=8, epochs=50, verbose=0)
trained = np.array(analysis.filters)

impulse = np.zeros((1, 2 * KERNEL + 1, 1), "float32")
impulse[:, KERNEL] = 1


def filters_of(layer):
    """What a filterbank with a hop of one sample answers to an impulse, `(filters, samples)`."""
    return np.asarray(layer(impulse))[0, :, :, 0].T


fourier = np.fft.rfft(np.eye(KERNEL)) * ops.window("hann", KERNEL)[:, None]
banks = {
    "STFT": np.concatenate([fourier.real.T, fourier.imag.T[1:-1]]),
    "sinc, at its start": filters_of(
        layers.SincAnalysis(FILTERS, KERNEL + 1, hop=1, sample_rate=RATE)
    ),
    "multi-phase gammatone": filters_of(
        layers.GammatoneAnalysis(FILTERS, KERNEL, hop=1, sample_rate=RATE)
    ),
    "learned, untrained": untrained,
    "learned, 400 steps": trained,
}
figure, axes = plt.subplots(1, len(banks), figsize=(10.5, 3), sharey=True)
for panel, (title, filters) in zip(axes, banks.items(), strict=True):
    response = np.abs(np.fft.rfft(filters, 512))
    response /= response.max(axis=1, keepdims=True)
    ordered = response[np.argsort(response.argmax(axis=1), kind="stable")]
    drawn = panel.imshow(
        20 * np.log10(ordered + 1e-6).T,
        aspect="auto",
        origin="lower",
        extent=(0, len(ordered), 0, RATE / 2000),
        vmin=-30,
        vmax=0,
    )
    panel.set(title=title, xlabel="filter")
    panel.grid(False)
axes[0].set_ylabel("frequency (kHz)")
figure.colorbar(drawn, ax=axes, label="dB below its peak")
