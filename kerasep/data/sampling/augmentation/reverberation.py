"""Reverberation: convolution with impulse responses, measured or synthetic."""

import functools
import os
import pathlib

import numpy as np
import scipy.signal

from kerasep.data import audio
from kerasep.errors import InputError

_MOST_SECONDS = 3.0


def reverberate(
    waveform: np.ndarray,
    rng: np.random.Generator,
    sample_rate: int,
    seconds: tuple[float, float] = (0.1, 0.8),
    direct: tuple[float, float] = (0.0, 12.0),
    responses: str | os.PathLike | None = None,
) -> np.ndarray:
    """Put the waveform in a room; the direct sound keeps its place and its level.

    Args:
        waveform: Float32 array `(samples, channels)`.
        rng: A NumPy random generator.
        sample_rate: In Hz.
        seconds: Range of the time in which synthetic reverberation falls by 60 dB. Defaults
            to (0.1, 0.8).
        direct: Range of the energy of the direct sound over that of synthetic reverberation, in
            dB. Defaults to (0, 12).
        responses: Folder of measured impulse responses, one audio file each, of which one is drawn
            and cut so that it starts with its peak. Defaults to synthetic ones: noise that
            decays exponentially, different in every channel.

    Returns:
        Float32 array of the same shape: the reverberation after the end is cut.

    Raises:
        InputError: The folder has no audio, or a response cannot be used.

    Example:
    ```python
    import numpy as np
    from kerasep.data.sampling.augmentation import reverberate

    click = np.zeros((16000, 1), "float32")
    click[100] = 0.5
    room = reverberate(click, np.random.default_rng(0), 16000)
    assert room.argmax() == 100 and np.abs(room[101:]).max() > 0.001
    ```
    """
    samples, channels = waveform.shape
    if responses is None:
        response = _synthetic(rng, sample_rate, channels, seconds, direct)
    else:
        measured = _measured(str(responses), sample_rate)
        response = measured[rng.integers(len(measured))]
        if response.shape[1] not in (1, channels):
            response = response[:, :1]
    wet = scipy.signal.fftconvolve(waveform, response[:samples], axes=0)[:samples]
    return wet.astype("float32", copy=False)


def _synthetic(rng, sample_rate, channels, seconds, direct):
    decay, ratio = rng.uniform(*seconds), rng.uniform(*direct)
    length = max(1, round(min(decay, _MOST_SECONDS) * sample_rate))
    tail = rng.standard_normal((length, channels), "float32")
    tail *= (
        np.float32(10) ** (-3 * np.arange(length, dtype="float32") / (decay * sample_rate))[:, None]
    )
    tail *= np.sqrt(10 ** (-ratio / 10) / np.sum(np.square(tail), axis=0))
    return np.concatenate([np.ones((1, channels), "float32"), tail.astype("float32")])


@functools.lru_cache(8)
def _measured(folder, sample_rate):
    paths = sorted(
        path for path in pathlib.Path(folder).rglob("*") if path.suffix.lower() in audio.SUFFIXES
    )
    if not paths:
        raise InputError(f"{folder} has no impulse responses: expected audio files in it")
    measured = []
    for path in paths:
        response, _ = audio.read(path, sample_rate)
        peak = np.abs(response).max(axis=1)
        if not peak.max() > 0:
            raise InputError(f"{path} is silent: expected an impulse response, remove it")
        response = response[peak.argmax() :][: round(_MOST_SECONDS * sample_rate)]
        measured.append(response / peak.max())
    return tuple(measured)
