"""Sample rate conversion by a bank of windowed sinc filters."""

import functools
import math

import numpy as np
from keras import ops

from kerasep.errors import InputError
from kerasep.ops.framing import frame
from kerasep.system.types import Tensor

_BLOCK = 128  # input samples that are filtered by one product


@functools.lru_cache(8)
def resampling_filters(old: int, new: int, zeros: int = 24, rolloff: float = 0.945) -> np.ndarray:
    """Compute one filter for each position of an output sample between input samples.

    Filter `i` is `sinc(t) * cos(pi t / (2 zeros))^2` over `|t| <= zeros`, with
    `t = rolloff * min(old, new) * (n / old - i / new)` at the input sample `n`. It is divided by
    its sum, so that constants do not change.

    Args:
        old: sample rate of the input. `old / new` must be in lowest terms.
        new: sample rate of the output.
        zeros: zero crossings of the sinc on each side. Defaults to 24.
        rolloff: pass band as a fraction of the lower Nyquist frequency. Defaults to 0.945.

    Returns:
        Float32 NumPy array `(new, 2 * width + old)` for the samples from `-width` to
        `width + old - 1`. `width` is the number of samples within `zeros` zero crossings.

    Raises:
        InputError: if a number is out of range, or `old / new` is not in lowest terms.

    Example:
    >>> resampling_filters(1, 2).shape
    (2, 53)

    Reference:
        Smith 1984, "A flexible sampling-rate conversion method", ICASSP.
    """
    if min(old, new, zeros) < 1 or not 0 < rolloff <= 1 or math.gcd(old, new) > 1:
        raise InputError(
            f"received old={old}, new={new}, zeros={zeros}, rolloff={rolloff}, expected whole "
            f"numbers of at least 1 in lowest terms, and a rolloff of at most 1"
        )
    rate = rolloff * min(old, new)
    width = math.ceil(zeros * old / rate)
    times = np.arange(-width, width + old) / old - np.arange(new)[:, None] / new
    times = np.clip(rate * times, -zeros, zeros)
    filters = np.sinc(times) * np.cos(np.pi * times / (2 * zeros)) ** 2
    return (filters / filters.sum(axis=1, keepdims=True)).astype("float32")


def resampled_length(samples: int | Tensor, old: int, new: int) -> int | Tensor:
    """Compute `samples * new // old` without a product that overflows 32-bit integers.

    In a graph the length of a recording is a 32-bit integer. For 5 minutes, its product with 16000
    would overflow.

    Args:
        samples: length of the input, an integer or an integer tensor.
        old: sample rate of the input. `old / new` must be in lowest terms.
        new: sample rate of the output.

    Returns:
        The length of the output, of the same type.

    Example:
    >>> resampled_length(101, 2, 1)
    50
    """
    return samples // old * new + samples % old * new // old


def resample(signal: Tensor, old: int, new: int, zeros: int = 24, rolloff: float = 0.945) -> Tensor:
    """Change the sample rate of a signal from `old` to `new`.

    The polyphase filter has one filter for each position of an output sample between input samples.
    The first and the last sample are repeated beyond the ends.

    Args:
        signal: tensor `(batch, samples, channels)`.
        old: sample rate of the input. `old / new` must be in lowest terms.
        new: sample rate of the output.
        zeros: zero crossings of each filter on each side. Defaults to 24.
        rolloff: pass band as a fraction of the lower Nyquist frequency. Defaults to 0.945.

    Returns:
        Tensor `(batch, samples * new // old, channels)`.

    Raises:
        InputError: if a number is out of range, or `old / new` is not in lowest terms.

    Example:
    >>> import numpy as np
    >>> tuple(resample(np.ones((1, 101, 2), "float32"), 2, 1).shape)
    (1, 50, 2)

    Reference:
        Smith 1984, "A flexible sampling-rate conversion method", ICASSP.
    """
    matrix = _block_matrix(old, new, zeros, rolloff)
    block = max(1, _BLOCK // old) * old
    width = (matrix.shape[0] - block) // 2
    batch, samples, channels = ops.shape(signal)
    before = ops.repeat(signal[:, :1], width, axis=1)
    after = ops.repeat(signal[:, -1:], width + block, axis=1)
    extended = ops.transpose(ops.concatenate([before, signal, after], axis=1), (0, 2, 1))
    # Not matmul: TensorFlow 2.21 crashes on some batches of matrices by one matrix.
    blocks = ops.tensordot(frame(extended, matrix.shape[0], block), matrix, axes=1)
    length = resampled_length(samples, old, new)
    result = ops.reshape(blocks, (batch, channels, -1))[..., :length]
    return ops.transpose(result, (0, 2, 1))


@functools.lru_cache(8)
def _block_matrix(old, new, zeros, rolloff):
    """Return the matrix from a block of input samples and its neighbours to output samples."""
    filters = resampling_filters(old, new, zeros, rolloff)
    count, size = max(1, _BLOCK // old), filters.shape[1]
    matrix = np.zeros(((count - 1) * old + size, count * new), "float32")
    for index in range(count):
        matrix[index * old : index * old + size, index * new : (index + 1) * new] = filters.T
    return matrix
