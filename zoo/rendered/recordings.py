"""Recordings of one stem: parts of songs joined to one length, levelled, and written as tracks.

The tracks are `OUT/train/0000/STEM.flac` and `OUT/valid/0000/STEM.flac`. The stems of a track have
nothing to do with each other: training mixes them at random.
"""

import argparse
import pathlib

import numpy as np
import soundfile

RATE, SECONDS = 44100, 60
LEVEL, PEAK = 0.05, 0.95
FADE = 0.02


def parser_of(description):
    """Return a parser with what all scripts of stems take."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("out", type=pathlib.Path, help="folder of tracks")
    parser.add_argument("--train", type=int, default=60, help="tracks to train on")
    parser.add_argument("--valid", type=int, default=5, help="tracks to validate on")
    return parser


def levelled(waveform):
    """Scale to one level, or to the peak that fits."""
    level = np.sqrt(np.mean(np.square(waveform), dtype="float64"))
    peak = np.abs(waveform).max(initial=0)
    return waveform * np.float32(min(LEVEL / max(level, 1e-6), PEAK / max(peak, 1e-6)))


def faded(waveform):
    """Fade the ends, so that parts that are joined do not click."""
    samples = min(round(FADE * RATE), len(waveform) // 2)
    ramp = np.linspace(0, 1, samples, dtype="float32")[:, None]
    waveform = waveform.copy()
    waveform[:samples] *= ramp
    waveform[len(waveform) - samples :] *= ramp[::-1]
    return waveform


def joined(parts):
    """Join parts `(samples, channels)` to a recording of full length; mono stays mono."""
    gathered, samples = [], 0
    for part in parts:
        gathered.append(faded(levelled(part)))
        samples += len(part)
        if samples >= SECONDS * RATE:
            break
    channels = max(part.shape[1] for part in gathered)
    gathered = [np.broadcast_to(part, (len(part), channels)) for part in gathered]
    return np.concatenate(gathered)[: SECONDS * RATE]


def write(out, split, number, stem, waveform):
    """Write a recording as 16-bit FLAC."""
    track = out / split / f"{number:04}"
    track.mkdir(parents=True, exist_ok=True)
    soundfile.write(track / f"{stem}.flac", waveform, RATE, subtype="PCM_16")
