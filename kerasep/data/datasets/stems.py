"""Stems: one recording each, found by its header and read by seeking."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kerasep.data import audio
from kerasep.data.audio.audio_info import as_float
from kerasep.errors import InputError


class Stem(NamedTuple):
    """Where one stem is: a file, the audio stream in it, what its header says, and the channel.

    Without a channel (None) the stem is all channels of its file.
    """

    path: Path
    stream: int
    info: audio.AudioInfo
    channel: int | None = None

    @property
    def channels(self):
        """How many channels the stem has, whatever else is in its file."""
        return self.info.channels if self.channel is None else 1


def open_stems(locations):
    """Read the headers of many files at once.

    Args:
        locations: `kerasep.data.datasets.layouts.found.Location`s, in any number.

    Returns:
        A list in their order: of each its `Stem`, or the `InputError` that says why it is none.
    """
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
    """Refuse a stem whose channels cannot be converted: only from mono, or to mono."""
    if channels not in (stem.channels, 1) and stem.channels != 1:
        raise InputError(
            f"{stem.path} has {stem.channels} channels, the model {channels}: expected "
            f"{channels} or 1, convert it"
        )


def read_stem(stem, sample_rate, channels, start, samples):
    """Read a stem from `start` seconds on: at most `samples`, and one channel or `channels`.

    The samples are as decoded: `kerasep.data.audio.audio_info.as_float` scales them.
    """
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
