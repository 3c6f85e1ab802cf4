"""Read and resample audio files.

Waveforms are float32 arrays `(samples, channels)` with full scale ±1. WAV (every depth), AIFF, CAF,
AU, W64, RF64 and FLAC are read by libsndfile; MP3, M4A/AAC, MP4, `.stem.mp4`, Ogg, WebM and all
other formats of FFmpeg through PyAV, with exactly FFmpeg's samples.
"""

import math
import os
from collections.abc import Iterator

import numpy as np
import soxr

from kerasep.data.audio.audio_info import AudioInfo, as_float, stops_early
from kerasep.data.audio.decoders import open_audio
from kerasep.errors import InputError

SUFFIXES: tuple[str, ...] = (
    *(".wav", ".flac", ".ogg", ".oga", ".mp3", ".aif", ".aiff", ".aifc", ".au", ".caf", ".w64"),
    *(".m4a", ".aac", ".mp4", ".mka", ".mkv", ".webm", ".opus", ".wma", ".mp2", ".rf64", ".mov"),
    *(".avi", ".flv", ".ac3", ".eac3", ".dts", ".tta", ".wv", ".ape", ".3gp"),
)

_CONTEXT = 2048  # samples on either side of a resampled slice: more than soxr's filter spans
_BLOCK = 1 << 16


def info(path: str | os.PathLike, stream: int = 0) -> AudioInfo:
    """Return the sample rate, length and channels of an audio file.

    Args:
        path: The file.
        stream: Which audio stream of a container like `.stem.mp4`. Defaults to 0.

    Returns:
        `AudioInfo(sample_rate, samples, channels)`.

    Raises:
        InputError: The file is missing, empty, truncated or not audio.

    Example:
    ```python
    import numpy as np
    import kerasep

    kerasep.data.write("tone.wav", np.zeros((8000, 2), "float32"), 16000)
    assert kerasep.data.info("tone.wav").seconds == 0.5
    ```
    """
    with open_audio(path, stream) as audio:
        return audio.info


def read(
    path: str | os.PathLike,
    sample_rate: int | None = None,
    start: int = 0,
    samples: int | None = None,
    stream: int = 0,
) -> tuple[np.ndarray, int]:
    """Read an audio file, or a slice of it by seeking.

    Args:
        path: The file.
        sample_rate: The rate to resample to, in Hz. Defaults to the file's own. A resampled slice
            equals the slice of the whole file resampled.
        start: The first sample, counted at the file's own rate. Defaults to 0.
        samples: How many samples, counted at the file's own rate. Defaults to all that follow.
        stream: Which audio stream of a container like `.stem.mp4`. Defaults to 0.

    Returns:
        The waveform `(samples, channels)`, float32, and its sample rate.

    Raises:
        InputError: The file is missing, empty, truncated, damaged, not audio or shorter than
            requested, or has NaN or infinite samples.

    Example:
    ```python
    import numpy as np
    import kerasep

    kerasep.data.write("tone.wav", np.zeros((8000, 2), "float32"), 16000)
    waveform, sample_rate = kerasep.data.read("tone.wav", sample_rate=8000, start=4000)
    assert waveform.shape == (2000, 2) and sample_rate == 8000
    ```
    """
    waveform, rate = read_decoded(path, sample_rate, start, samples, stream)
    return as_float(waveform), rate


def read_decoded(path, sample_rate=None, start=0, samples=None, stream=0):
    """Read like `read`, but return 16-bit samples that need no resampling as int16."""
    with open_audio(path, stream) as audio:
        stop = audio.info.samples if samples is None else start + samples
        rate = audio.info.sample_rate if sample_rate is None else sample_rate
        return decode(audio, rate, start, stop - start), rate


def decode(audio, sample_rate, start, samples):
    """Read a slice, counted at the file's own rate, from an open decoder."""
    rate, total, _ = audio.info
    stop = start + samples
    if not 0 <= start <= stop <= total:
        raise InputError(f"{audio.path} has {total} samples: cannot read from {start} to {stop}")
    if sample_rate == rate:
        return _slice(audio, start, stop)
    step = rate // math.gcd(rate, sample_rate)
    context = step * math.ceil(_CONTEXT / step)
    before = min(context, start // step * step)
    waveform = as_float(_slice(audio, start - before, min(stop + context, total)))
    first = before // step * (sample_rate // math.gcd(rate, sample_rate))
    length = round((stop - start) * sample_rate / rate)
    return resample(waveform, rate, sample_rate)[first : first + length]


def stream(
    path: str | os.PathLike,
    sample_rate: int | None = None,
    block: int = _BLOCK,
    stream: int = 0,
) -> Iterator[np.ndarray]:
    """Read an audio file block by block, in constant memory.

    Args:
        path: The file.
        sample_rate: The rate to resample to, in Hz. Defaults to the file's own.
        block: The most samples (at the file's rate) decoded at a time. Defaults to 65536.
        stream: Which audio stream of a container like `.stem.mp4`. Defaults to 0.

    Yields:
        Float32 arrays `(n, channels)` of varying `n`; concatenated they equal `read`.

    Raises:
        InputError: As for `read`, when the damaged block is reached.

    Example:
    ```python
    import numpy as np
    import kerasep

    kerasep.data.write("tone.wav", np.zeros((8000, 2), "float32"), 16000)
    assert sum(len(block) for block in kerasep.data.stream("tone.wav", block=512)) == 8000
    ```
    """
    with open_audio(path, stream) as audio:
        rate, total, channels = audio.info
        same = sample_rate in (None, rate)
        resampler = None if same else soxr.ResampleStream(rate, sample_rate, channels, "float32")
        done = 0
        for samples in audio.blocks(0, total, block):
            done += len(samples)
            samples = as_float(samples)
            if resampler:
                samples = resampler.resample_chunk(samples)
            if len(samples):
                yield samples
        if done < total:
            raise stops_early(path, total, done)
        if resampler:
            yield resampler.resample_chunk(np.empty((0, channels), "float32"), last=True)


def resample(waveform: np.ndarray, sample_rate: int, new_sample_rate: int) -> np.ndarray:
    """Resample a waveform `(samples, channels)` with the high-quality filter of soxr."""
    if sample_rate == new_sample_rate:
        return waveform
    return soxr.resample(waveform, sample_rate, new_sample_rate)


def _slice(audio, start, stop):
    # Short slices are read in one piece. A damaged header must not decide what is allocated.
    blocks = list(audio.blocks(start, stop - start, min(stop - start, 1 << 22)))
    count = sum(map(len, blocks))
    if count < stop - start:
        raise stops_early(audio.path, audio.info.samples, start + count)
    if not blocks:
        return np.empty((0, audio.info.channels), "float32")
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
