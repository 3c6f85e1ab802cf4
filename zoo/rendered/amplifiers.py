"""Guitar and bass amplifiers, as simple filters: tone, clipping, cabinet."""

import numpy as np
import scipy.signal

RATE = 44100


def _filtered(waveform, kind, edges, order=2):
    sections = scipy.signal.butter(order, edges, kind, fs=RATE, output="sos")
    return scipy.signal.sosfilt(sections, waveform, axis=0)


def amplifier(mono, drive, low=(80, 250), high=(3000, 5500), rng=None):
    """Return a mono waveform out of an amplifier: `drive` is the peak over the clipping point, dB.

    The bass below `low` is cut before it clips, as guitar amplifiers do. The loudspeaker passes
    what is between 70 Hz and `high`, with a peak below that.
    """
    edge, top = rng.uniform(*low), rng.uniform(*high)
    tone = _filtered(mono, "highpass", edge, 1)
    peak = np.quantile(np.abs(tone[::16]), 0.999) + 1e-6
    # What the clipping folds back is less with twice the rate.
    twice = scipy.signal.resample_poly(tone, 2, 1) * (10 ** (drive / 20) / peak)
    bias = rng.uniform(0, 0.3)  # tubes clip one side first: even harmonics
    clipped = scipy.signal.resample_poly(np.tanh(twice + bias) - np.tanh(bias), 1, 2)
    speaker = _filtered(_filtered(clipped, "lowpass", top, 4), "highpass", 70)
    presence = _filtered(speaker, "bandpass", (0.45 * top, 0.75 * top), 1)
    return (speaker + rng.uniform(0, 1.5) * presence).astype("float32")


def two_guitars(mono, rng):
    """Return a guitar as stereo: one amplifier, or the part played twice and panned apart."""
    drive = rng.uniform(10, 36)
    left = amplifier(mono, drive, rng=rng)
    if rng.random() < 0.4:
        return np.repeat(left[:, None], 2, axis=1)
    late = np.roll(mono, rng.integers(400, 1500))
    return np.stack([left, amplifier(late, drive + rng.uniform(-3, 3), rng=rng)], axis=1)
