"""Whether an exported file computes what the Keras model does, and if not, where it departs."""

import numpy as np

from kerasep.tflite.rewrites import export_forms

GATE_DB = 100.0
KINDS = ("music", "noise")
_SILENT = 1e-6  # of full scale: -120 dB


def signals(samples, channels, sample_rate, seed=0):
    """Make the waveforms that an export is tried on.

    Args:
        samples: length.
        channels: how many.
        sample_rate: in Hz.
        seed: of the random numbers. Defaults to 0.

    Returns:
        Dict from name to float32 array `(1, samples, channels)`: decaying notes with overtones
        over a quiet noise, and a noise at the level of music.

    Example:
    >>> sorted(signals(8000, 2, 16000))
    ['music', 'noise']
    """
    rng = np.random.default_rng(seed)
    time = np.arange(samples)[:, None] / sample_rate
    music = 0.005 * rng.standard_normal((samples, channels))
    for onset in np.arange(0, samples / sample_rate, 0.25):
        since = np.maximum(time - onset, 0)
        envelope = np.where(time < onset, 0, np.exp(-4 * since))
        pitch = rng.uniform(80, 600)
        pan = rng.uniform(0.2, 1, channels)
        for overtone in range(1, 8):
            if overtone * pitch < sample_rate / 2:
                wave = np.sin(2 * np.pi * overtone * pitch * since + rng.uniform(0, 6))
                music += 0.15 / overtone * envelope * pan * wave
    noise = 0.1 * rng.standard_normal((samples, channels))
    return {
        name: np.clip(wave, -1, 1).astype("float32")[None]
        for name, wave in {"music": music, "noise": noise}.items()
    }


def agreement(expected, received):
    """Compare two arrays.

    Args:
        expected: array.
        received: array of the same shape.

    Returns:
        Signal-to-noise ratio in dB (infinite where they are equal, and where both are silent to
        one part in a million of full scale; NaN where a number is not finite), and largest absolute
        error.

    Example:
    >>> agreement(np.ones(10), np.ones(10))
    (inf, 0.0)
    """
    expected = np.asarray(expected, "float64")
    received = np.asarray(received, "float64")
    if not np.isfinite(received).all():
        return float("nan"), float("nan")
    error = received - expected
    largest = float(np.abs(error).max(initial=0.0))
    power, noise = np.square(expected).sum(), np.square(error).sum()
    silent = np.abs(expected).max(initial=0.0) < _SILENT
    if noise == 0 or (silent and largest < _SILENT):
        return float("inf"), largest
    return float(10 * np.log10(max(power, 1e-300) / noise)), largest


def first_departure(model, call):
    """Find the first layer whose export form does not compute what the layer does.

    Args:
        model: the Keras model.
        call: function without arguments that calls it.

    Returns:
        Words for an error message.
    """
    found = []

    def wrap(layer, own, form):
        def compared(*args, **kwargs):
            expected = own(*args, **kwargs)
            ratio, _ = agreement(expected, form(*args, **kwargs))
            if not ratio >= GATE_DB:
                found.append(f"{type(layer).__name__} {layer.name}, {ratio:.1f} dB")
            return expected

        return compared

    with export_forms(model, wrap):
        call()
    if found:
        return f"the export form of {found[0]} departs first"
    return "every export form agrees in TensorFlow, so the converted graph departs"
