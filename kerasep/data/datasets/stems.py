"""Stems: recordings of one source, described by their headers and read by seeking."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kerasep.data import audio
from kerasep.data.audio.audio_info import as_float
from kerasep.errors import InputError


class Stem(NamedTuple):
    """An audio stream of a file, what its header says, and one of its channels or None for all."""

    path: Path
    stream: int
    info: audio.AudioInfo
    channel: int | None = None

    @property
    def channels(self):
        """The number of channels of the stem."""
        return self.info.channels if self.channel is None else 1

    @property
    def unit(self):
        """What is given up if the stem cannot be read: the whole file."""
        return self.path


def open_stems(locations):
    """Read the headers of many files at once; returns a `Stem` or an `InputError` per location."""
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(_open_stem, locations))


def _open_stem(location):
    path, stream, channel = location
    try:
        stem = Stem(path, stream, audio.info(path, stream), channel)
    except InputError as error:
        return error
    except OSError as error:
        return InputError(f"{path} cannot be read: {error.strerror or error}")
    if channel is not None and channel >= stem.info.channels:
        return InputError(
            f"{path} has {stem.info.channels} channels: there is no channel {channel}, counted "
            "from 0"
        )
    return stem


def check_channels(stem, channels):
    """Raise `InputError` unless the stem has, or becomes, one channel, or has `channels`."""
    if channels not in (stem.channels, 1) and stem.channels != 1:
        raise InputError(
            f"{stem.path} has {stem.channels} channels, the model {channels}: expected "
            f"{channels} or 1, convert it"
        )


def read_stem(stem, sample_rate, channels, start, samples):
    """Return at most `samples` from `start` seconds on, not yet scaled by `as_float`."""
    check_channels(stem, channels)
    rate = stem.info.sample_rate
    first = round(start * rate)
    count = min(-(-samples * rate // sample_rate), stem.info.samples - first)
    if count <= 0:
        return np.zeros((0, channels), "float32")
    waveform, _ = audio.read_decoded(stem.path, sample_rate, first, count, stem.stream)
    if stem.channel is not None:
        waveform = waveform[:, stem.channel : stem.channel + 1]
    elif stem.channels > channels:
        waveform = as_float(waveform).mean(axis=1, keepdims=True)
    return waveform[:samples]
