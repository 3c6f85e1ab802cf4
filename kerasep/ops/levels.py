"""Mean and standard deviation of waveforms."""

from keras import ops

from kerasep.ops.framing import pad_to_frames
from kerasep.system.types import Tensor

_BLOCK = 512


def mono_level(waveform: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the mean and the unbiased standard deviation of the mono mix over all samples.

    The mono mix is the mean of all channels. Sums are computed in blocks, since some runtimes add
    one number after the other, which loses a third of float32's digits over a song.

    Args:
        waveform: tensor `(batch, samples, channels)`.

    Returns:
        Two tensors `(batch, 1, 1)`, float32. The deviation of a single sample is 0.

    Example:
    >>> import numpy as np
    >>> mean, deviation = mono_level(np.array([[[1.0, 3.0], [3.0, 5.0]]], "float32"))
    >>> float(mean[0, 0, 0]), round(float(deviation[0, 0, 0]), 4)
    (3.0, 1.4142)
    """
    mono = ops.mean(ops.cast(waveform, "float32"), axis=2)
    count = ops.cast(ops.shape(mono)[1], "float32")
    mean = _sum(mono) / count
    variance = _sum(ops.square(mono - mean)) / ops.maximum(count - 1, 1)
    # The square root has an infinite slope at zero.
    varies = variance > 0
    deviation = ops.where(varies, ops.sqrt(ops.where(varies, variance, 1.0)), 0.0)
    return mean[..., None], deviation[..., None]


def _sum(signal):
    """Sum `(batch, samples)` over samples, `(batch, 1)`."""
    blocks = pad_to_frames(signal, _BLOCK, _BLOCK)
    blocks = ops.reshape(blocks, (ops.shape(signal)[0], -1, _BLOCK))
    return ops.sum(ops.sum(blocks, axis=2), axis=1, keepdims=True)
