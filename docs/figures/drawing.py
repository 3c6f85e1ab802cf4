"""Shared parts of the pictures: a song, spectrograms in dB, and colours."""

import numpy as np

import kerasep
from kerasep import ops, targets

RATE = 8000
TRANSFORM = {"n_fft": 512, "hop": 128}
SOURCES = ("vocals", "drums", "bass", "other")
BLUE, ORANGE, GREEN, RED = "#2a78d6", "#e07b00", "#2a9d5c", "#c8313c"
PURPLE, GREY = "#8a5bbf", "#777777"


def song(seconds=3.0, seed=7, start=2.0):
    """Return stems of a part of a song, `(1, samples, 1, sources)`, at 8 kHz."""
    stems = kerasep.data.song(seed, seconds=start + seconds, sample_rate=RATE)
    waveforms = np.stack([stems[name] for name in SOURCES], axis=-1)
    return waveforms[None, round(start * RATE) :]


def reference(stems, transform=TRANSFORM):
    """Return the packed reference of stems, the y_true of spectrogram losses."""
    spectra = [ops.stft(stems[..., index], **transform) for index in range(stems.shape[-1])]
    mixture = ops.stft(stems.sum(axis=-1), **transform)
    return targets.pack_reference(mixture, np.stack(spectra, axis=-2))


def two_sources(stems):
    """Return the vocals and the sum of the others, `(1, samples, 1, 2)`."""
    return np.stack([stems[..., 0], stems[..., 1:].sum(axis=-1)], axis=-1)


def to_db(magnitude, loudest):
    """Return the magnitude relative to `loudest`, in dB."""
    return 20 * np.log10(np.maximum(np.asarray(magnitude), 1e-10) / loudest)


def image(axes, values, hop=None, rate=RATE, **options):
    """Draw `(frames, bins)` over seconds and kHz."""
    hop = TRANSFORM["hop"] if hop is None else hop
    seconds = len(values) * hop / rate
    drawn = axes.imshow(
        np.asarray(values).T,
        **{
            "origin": "lower",
            "aspect": "auto",
            "interpolation": "nearest",
            "extent": (0, seconds, 0, rate / 2000),
            **options,
        },
    )
    axes.set_xlabel("time (s)")
    axes.set_ylabel("frequency (kHz)")
    axes.grid(False)
    return drawn


def spectrogram(axes, magnitude, loudest=None, **options):
    """Draw the magnitude `(frames, bins)` in dB below the loudest bin."""
    loudest = np.max(magnitude) if loudest is None else loudest
    return image(axes, to_db(magnitude, loudest), **{"vmin": -60, "vmax": 0, **options})
