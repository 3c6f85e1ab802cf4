"""Stems: recordings of one source, opened by their headers and read by seeking."""

import functools
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kerasep.data import audio
from kerasep.data.audio.audio_info import as_float
from kerasep.data.datasets.header_index import HeaderIndex
from kerasep.errors import InputError

# Threads wait for files that are far away side by side; over near ones they only hinder each other.
_TRIED, _NEAR_SECONDS = 16, 0.001


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
        """What is skipped if the stem cannot be read: the whole file."""
        return self.path


def open_stems(folder, locations):
    """Return a `Stem` or an `InputError` per location in a data set, by the headers of the files.

    Headers of files that an earlier call has read, and that have not changed, are not read again.
    """
    index = HeaderIndex(folder)
    known = [index.info(path, stream) for path, stream, _ in locations]
    unknown = [place for place, info in zip(locations, known, strict=True) if info is None]
    opened = _read_headers(unknown)
    stems = []
    for (path, stream, channel), info in zip(locations, known, strict=True):
        if info is None:
            info = next(opened)
            if isinstance(info, audio.AudioInfo):
                index.add(path, stream, info)
        stems.append(_stem(path, stream, info, channel))
    index.save()
    return stems


def _read_headers(locations):
    """Yield what `_read_header` returns for each."""
    seconds = []
    for location in locations[:_TRIED]:
        began = time.perf_counter()
        header = _read_header(location)
        seconds.append(time.perf_counter() - began)
        yield header
    rest = locations[_TRIED:]
    if rest and statistics.median(seconds) > _NEAR_SECONDS:
        with ThreadPoolExecutor(8) as pool:
            yield from pool.map(_read_header, rest)
    else:
        yield from map(_read_header, rest)


def _read_header(location):
    path, stream, _ = location
    try:
        return audio.info(path, stream)
    except InputError as error:
        return error
    except OSError as error:
        return InputError(f"{path} cannot be read: {error.strerror or error}")


def _stem(path, stream, info, channel):
    if isinstance(info, InputError):
        return info
    stem = Stem(path, stream, info, channel)
    if channel is not None and channel >= stem.info.channels:
        return InputError(
            f"{path} has {stem.info.channels} channels: there is no channel {channel}, counted "
            "from 0"
        )
    return stem


def check_channels(stem, channels):
    """Raise `InputError` if the channels of a stem cannot be converted to those of a model."""
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
    return with_channels(waveform[:samples], stem, channels)


def with_channels(waveform, stem, channels):
    """Select the channel of a stem, or average its channels to one; not yet scaled."""
    if stem.channel is not None:
        return waveform[:, stem.channel : stem.channel + 1]
    if stem.channels > channels:
        # A mean along an axis this short takes NumPy thirty times as long.
        return functools.reduce(np.add, as_float(waveform).T)[:, None] / np.float32(stem.channels)
    return waveform
