"""A spectrogram in chunks of equal length, and their effect on the output of a network."""

import keras
import matplotlib.pyplot as plt
import numpy as np
from drawing import BLUE, ORANGE, RATE, TRANSFORM, song, spectrogram

from kerasep import ops
from kerasep.layers import EncoderBlock2D, JoinChunks, SplitChunks

CHUNK, OVERLAP = 64, 32
keras.utils.set_random_seed(1)
magnitude = ops.magnitude(ops.stft(song(3.0).sum(axis=-1), **TRANSFORM))
frames = magnitude.shape[1]
convolutions = keras.Sequential(
    [EncoderBlock2D(8, 9, stride=1, norm=None, activation="tanh") for _ in range(2)]
)
whole = np.asarray(convolutions(magnitude))[0]


def joined(overlap):
    """The network's output, computed in chunks."""
    chunks = SplitChunks(CHUNK, overlap)(magnitude)
    return np.asarray(JoinChunks(overlap)(convolutions(chunks), like=magnitude))[0]


figure, (picture, errors) = plt.subplots(
    2, 1, figsize=(9.5, 4.4), sharex=True, height_ratios=(3, 2)
)
spectrogram(picture, magnitude[0, :, :, 0])
seconds = TRANSFORM["hop"] / RATE
starts = np.arange(0, frames - OVERLAP, CHUNK - OVERLAP)
for number, start in enumerate(starts):
    height = 4.15 + 0.3 * (number % 2)
    span = [start * seconds, min(start + CHUNK, frames) * seconds]
    picture.plot(span, [height, height], color=ORANGE, lw=3, clip_on=False)
for start in range(0, frames, CHUNK):
    picture.axvline(start * seconds, color="w", lw=1)
    span = [start * seconds, min(start + CHUNK, frames) * seconds]
    picture.plot(span, [4.85, 4.85], color=BLUE, lw=3, clip_on=False, solid_capstyle="butt")
    picture.plot(span[:1], [4.85], "|", color="w", ms=6, mew=2, clip_on=False)
picture.set(xlabel="", xlim=(0, frames * seconds), yticks=range(5))
level = np.sqrt(np.mean(whole**2))
for overlap, colour in ((0, BLUE), (OVERLAP, ORANGE)):
    error = np.sqrt(np.mean((joined(overlap) - whole) ** 2, axis=(1, 2))) / level
    label = f"overlap of {overlap} frames" if overlap else "no overlap"
    errors.semilogy(np.arange(frames) * seconds, error + 1e-6, color=colour, label=label)
errors.set(xlabel="time (s)", ylabel="error over level", ylim=(1e-4, 20))
errors.legend(loc="upper right", ncols=2)
