"""What a mode of export puts into a file, and how that is compared with Keras."""

import dataclasses
import math
from collections.abc import Callable

import keras

from kerasep.errors import InputError


def _unchanged(result, waveform):
    return result


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a mode makes of a model: a function of a `kerasep.Separator` and seconds gives it.

    Attributes:
        model: the Keras model that owns the weights, and whose layers take their export forms.
        signatures: dict, as `kerasep.tflite.conversion.convert` takes it.
        samples: length of the waveforms that the file is tried on.
        metadata: what the file says of itself in this mode: chunk, overlap and what else there is.
        expected: function of a waveform `(1, samples, channels)`: what Keras makes of it, an array
            whose last axis is the sources.
        received: function of an `Interpreter` and a waveform: what the file makes of it, likewise.
        waveforms: function of such an array and the waveform: source waveforms
            `(1, samples, channels, sources)`. Default: the array itself.
    """

    model: keras.Model
    signatures: dict
    samples: int
    metadata: dict
    expected: Callable
    received: Callable
    waveforms: Callable = _unchanged


def whole_hops(seconds, sample_rate, stft):
    """Round a duration up to a whole number of hops.

    Args:
        seconds: the duration.
        sample_rate: in Hz.
        stft: the transform's parameters, or None for a waveform model.

    Returns:
        Samples.

    Raises:
        InputError: for less than one frame.

    Example:
    >>> whole_hops(1.0, 16000, {"n_fft": 512, "hop": 256})
    16128
    """
    hop = stft["hop"] if stft else 1
    samples = math.ceil(seconds * sample_rate / hop - 1e-9) * hop
    least = stft["n_fft"] if stft else 1
    if samples < least:
        raise InputError(
            f"received seconds={seconds}, expected at least {least / sample_rate:.3f}: one frame "
            f"of the transform"
        )
    return samples


def good_overlap(samples, stft):
    """Choose an overlap whose outer quarters hold the frames that reach beyond a chunk.

    Args:
        samples: of a chunk.
        stft: the transform's parameters, or None for a waveform model.

    Returns:
        Samples: a quarter of a chunk, or four frames; at most half a chunk.

    Example:
    >>> good_overlap(16128, {"n_fft": 512, "hop": 256})
    4096
    """
    hop = stft["hop"] if stft else 1
    wanted = max(samples // 4, 4 * stft["n_fft"] if stft else 0)
    return min(math.ceil(wanted / hop), samples // 2 // hop) * hop
