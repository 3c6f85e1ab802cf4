"""The part of the user's own recording that the demo separates."""

import math
import os
import pathlib
from typing import NamedTuple

import numpy as np

from kerasep import data
from kerasep.errors import InputError

PART_SECONDS = 30
_SEARCHED_SECONDS = 600
_LEAST_SECONDS = 1


class Clip(NamedTuple):
    """A part of a recording: a waveform `(samples, channels)` and its place."""

    name: str
    waveform: np.ndarray
    sample_rate: int
    start: int  # in seconds
    whole: bool

    @property
    def place(self) -> str:
        """Describe the part."""
        if self.whole:
            return self.name
        end = self.start + round(len(self.waveform) / self.sample_rate)
        return (
            f"{self.name} from {_clock(self.start)} to {_clock(end)}, the loudest {PART_SECONDS} "
            f"seconds of its first {_SEARCHED_SECONDS // 60} minutes"
        )


def loudest_part(path: str | os.PathLike) -> Clip:
    """Read the loudest 30 seconds of a recording's first ten minutes, in stereo at most."""
    rate, samples, channels = data.info(path)
    if samples < _LEAST_SECONDS * rate:
        raise InputError(
            f"received --clip {path} of {samples / rate:.2f} s, expected {_LEAST_SECONDS} s or more"
        )
    energy = _energy_per_second(path, rate, samples)
    if not energy.any():
        raise InputError(f"received --clip {path}, which is silent: choose a recording of music")
    start = 0
    if samples > PART_SECONDS * rate:
        starts = min(samples // rate, len(energy)) - PART_SECONDS + 1
        sums = np.convolve(energy, np.ones(PART_SECONDS), "valid")
        start = int(sums[: max(1, starts)].argmax())
    length = min(samples - start * rate, PART_SECONDS * rate)
    waveform, _ = data.read(path, start=start * rate, samples=length)
    if channels > 2:
        waveform = waveform.mean(axis=1, keepdims=True)
    return Clip(pathlib.Path(path).name, waveform, rate, start, length == samples)


def _energy_per_second(path, rate, samples):
    energy = np.zeros(min(math.ceil(samples / rate), _SEARCHED_SECONDS))
    position = 0
    for block in data.stream(path):
        seconds = (position + np.arange(len(block))) // rate
        position += len(block)
        if seconds[-1] >= len(energy):
            break
        energy += np.bincount(seconds, np.square(block).sum(axis=1), len(energy))
    return energy


def _clock(seconds):
    return f"{seconds // 60}:{seconds % 60:02d}"
