"""Filterbanks over frames of samples: analysis, synthesis, and designed filters."""

import math

import numpy as np
from keras import ops

from kerasep.errors import InputError
from kerasep.ops.framing import fit_length, overlap_add, pad_to_frames
from kerasep.system.types import Tensor


def check_filterbank(filters: int, kernel_size: int, hop: int) -> None:
    """Validate the number of filters, their length and the hop.

    Args:
        filters: number of filters.
        kernel_size: length of the filters in samples.
        hop: samples from frame to frame.

    Raises:
        InputError: if a number is below 1, or the hop is above the kernel size.

    Example:
    >>> check_filterbank(512, 16, 8)
    """
    if filters < 1 or not 1 <= hop <= kernel_size:
        raise InputError(
            f"received filters={filters}, kernel_size={kernel_size}, hop={hop}, expected at least "
            f"one filter, and a hop from 1 to the kernel size"
        )


def analysis(waveform: Tensor, filters: Tensor, hop: int, fill: bool = True) -> Tensor:
    """Correlate overlapping frames of a waveform with filters.

    `c[t, f] = sum_n w_f[n] x[t hop + n]`, in float32. A strided convolution layer computes the
    same. Every channel is analysed separately.

    Args:
        waveform: tensor `(batch, samples, channels)`.
        filters: tensor `(filters, kernel_size)`.
        hop: samples from frame to frame.
        fill: whether to pad the end with zeros, so that the last samples get a frame too. If not,
            only a waveform shorter than one frame is padded. Defaults to True.

    Returns:
        Tensor `(batch, frames, filters, channels)`.

    Raises:
        InputError: if the waveform does not have three axes.

    Example:
    >>> import numpy as np
    >>> tuple(analysis(np.ones((1, 100, 2), "float32"), np.ones((32, 16), "float32"), 8).shape)
    (1, 12, 32, 2)
    """
    if len(waveform.shape) != 3:
        raise InputError(
            f"received a waveform of shape {tuple(waveform.shape)}, expected "
            f"(batch, samples, channels)"
        )
    count, kernel_size = filters.shape
    channels = waveform.shape[-1]
    x = ops.transpose(ops.cast(waveform, "float32"), (0, 2, 1))
    x = pad_to_frames(x, kernel_size, hop) if fill else fit_length(x, kernel_size, at_least=True)
    x = ops.reshape(x, (-1, ops.shape(x)[-1], 1))
    kernel = ops.transpose(ops.cast(filters, "float32"))[:, None, :]
    x = ops.conv(x, kernel, strides=hop, padding="valid")
    x = ops.reshape(x, (-1, channels, ops.shape(x)[1], count))
    return ops.transpose(x, (0, 2, 3, 1))


def synthesis(
    features: Tensor, filters: Tensor, hop: int, length: int | Tensor | None = None
) -> Tensor:
    """Sum filters, weighted by features, over all frames.

    `x[n] = sum_t sum_f c[t, f] w_f[n - t hop]`, in float32. This transposed convolution is computed
    as a product of matrices and an overlap-add, which is many times faster on a phone.

    Args:
        features: tensor `(batch, frames, filters, channels)`, optionally followed by an axis of
            sources.
        filters: tensor `(filters, kernel_size)`.
        hop: samples from frame to frame.
        length: samples to return. Up to `hop - 1` samples beyond the last frame are zeros.
            Default: `(frames - 1) * hop + kernel_size`.

    Returns:
        Tensor `(batch, samples, channels)`, or `(batch, samples, channels, sources)`.

    Raises:
        InputError: if the features have a different rank or number of filters, or the length is a
            hop or more beyond the last frame.

    Example:
    >>> import numpy as np
    >>> features = np.ones((1, 12, 32, 2, 3), "float32")
    >>> tuple(synthesis(features, np.ones((32, 16), "float32"), 8, length=100).shape)
    (1, 100, 2, 3)
    """
    shape = tuple(features.shape)
    if len(shape) not in (4, 5) or shape[2] != filters.shape[0]:
        raise InputError(
            f"received features of shape {shape}, expected (batch, frames, {filters.shape[0]}, "
            f"channels), optionally with sources as a fifth axis"
        )
    last = tuple(range(3, len(shape)))
    x = ops.transpose(ops.cast(features, "float32"), (0, *last, 1, 2))
    # One product of two matrices: TensorFlow 2.21 crashes on batches of them, beside one matrix.
    x = overlap_add(ops.tensordot(x, ops.cast(filters, "float32"), axes=1), hop)
    reach = ops.shape(x)[-1]
    if isinstance(length, int) and isinstance(reach, int) and length - reach >= hop:
        raise InputError(
            f"received length={length} for {shape[1]} frames, which reach to sample {reach}"
        )
    x = x if length is None else fit_length(x, length)
    return ops.transpose(x, (0, len(shape) - 2, *range(1, len(shape) - 2)))


def dual_filters(filters: Tensor, hop: int) -> np.ndarray:
    """Compute synthesis filters that invert an analysis.

    They are the pseudo-inverse, divided by the number of frames that contain a sample. The
    synthesis of an analysis is exact except for the first and the last `kernel_size - hop` samples,
    which are in fewer frames.

    Args:
        filters: array `(filters, kernel_size)`, with at least as many filters as samples.
        hop: samples from frame to frame, a divisor of the kernel size.

    Returns:
        Float32 NumPy array `(filters, kernel_size)`.

    Raises:
        InputError: if the hop does not divide the kernel size, or the rank of the filters is below
            the kernel size.

    Example:
    ```python
    import numpy as np
    from kerasep import ops

    waveform = np.random.randn(1, 1000, 1).astype("float32")
    filters = ops.multiphase_gammatone(128, 16, 8000)
    features = ops.analysis(waveform, filters, 8)
    again = ops.synthesis(features, ops.dual_filters(filters, 8), 8, length=1000)
    np.testing.assert_allclose(again[:, 8:-8], waveform[:, 8:-8], atol=1e-4)
    ```
    """
    filters = np.asarray(filters, "float64")
    kernel_size = filters.shape[1]
    if kernel_size % hop:
        raise InputError(f"received hop={hop}, expected a divisor of kernel_size={kernel_size}")
    rank = np.linalg.matrix_rank(filters)
    if rank < kernel_size:
        raise InputError(
            f"received filters of rank {rank}, expected rank {kernel_size}, the length of a frame: "
            f"take more filters or a shorter kernel"
        )
    return (np.linalg.pinv(filters).T * hop / kernel_size).astype("float32")


def sinc_filters(low: Tensor, high: Tensor, kernel_size: int) -> Tensor:
    """Compute an even and an odd band-pass filter per band, differentiable in the band edges.

    With `n` counted from the middle and a Hamming window `h`,

        even[n] = h[n] (sin(2 pi high n) - sin(2 pi low n)) / (2 pi n (high - low))
        odd[n]  = h[n] (cos(2 pi low n) - cos(2 pi high n)) / (2 pi n (high - low))

    SincNet has the even filters only. The odd filters are nearly their Hilbert transforms, so
    together they represent a band at any phase.

    Args:
        low: lower edge of each band as a fraction of the sample rate, tensor `(bands,)`.
        high: upper edge of each band, above the lower edge, tensor `(bands,)`.
        kernel_size: length of the filters, an odd number.

    Returns:
        Tensor `(2 * bands, kernel_size)`, float32, the even filters first.

    Raises:
        InputError: if the kernel size is even.

    Example:
    >>> tuple(sinc_filters([0.01, 0.1], [0.1, 0.2], 101).shape)
    (4, 101)

    Reference:
        Ravanelli and Bengio 2018, "Speaker recognition from raw waveform with SincNet";
        Pariente et al. 2020, "Filterbank design for end-to-end speech separation".
    """
    if kernel_size % 2 == 0:
        raise InputError(f"received kernel_size={kernel_size}, expected an odd number")
    low = ops.cast(low, "float32")[:, None]
    high = ops.cast(high, "float32")[:, None]
    n = np.arange(kernel_size) - kernel_size // 2
    turn = ops.convert_to_tensor(2 * math.pi * n, "float32")
    # In the middle both fractions are 0 / 0. The limit is 1 for the even filter, 0 for the odd.
    middle = ops.convert_to_tensor(n == 0)
    below = 1 / (ops.where(middle, 1.0, turn) * (high - low))
    even = ops.where(middle, 1.0, (ops.sin(turn * high) - ops.sin(turn * low)) * below)
    odd = (ops.cos(turn * low) - ops.cos(turn * high)) * below
    window = ops.convert_to_tensor(np.hamming(kernel_size), "float32")
    return ops.concatenate([even, odd], axis=0) * window


def multiphase_gammatone(filters: int, kernel_size: int, sample_rate: float) -> np.ndarray:
    """Compute gammatone filters of 24 centre frequencies in several phases.

    With order 2 and `t` in seconds, starting at one sample,

        g[t] = t exp(-2 pi b t) cos(2 pi f t + phi)        b = (24.7 + 0.108 f) / (pi / 2)

    Centre frequencies start at 100 Hz and are one ERB apart. The phases of each frequency are
    spaced evenly in [0, pi). Every filter comes with its negative, so that a ReLU loses nothing. If
    the filters do not divide evenly, the lowest frequencies get one more phase. All filters are
    scaled to the power of the strongest.

    Args:
        filters: number of filters, even and at least 48.
        kernel_size: length of the filters in samples, typically 2 ms.
        sample_rate: in Hz, at least 7416. The highest centre frequency is always 3708 Hz.

    Returns:
        Float32 NumPy array `(filters, kernel_size)`.

    Raises:
        InputError: if the number of filters is odd or below 48, or the sample rate is too low for
            the highest centre frequency.

    Example:
    >>> multiphase_gammatone(128, 16, 8000).shape
    (128, 16)

    Reference:
        Ditter and Gerkmann 2020, "A multi-phase gammatone filterbank for speech separation via
        TasNet".
    """
    frequencies = 24
    if filters % 2 or filters < 2 * frequencies:
        raise InputError(
            f"received filters={filters}, expected an even number of at least {2 * frequencies}"
        )
    scale = 24.7 * 9.265
    first = 9.265 * math.log(1 + 100 / scale)
    centres = (np.exp((first + np.arange(frequencies)) / 9.265) - 1) * scale
    if centres[-1] > sample_rate / 2:
        raise InputError(
            f"received sample_rate={sample_rate}, expected at least {2 * centres[-1]:.0f} Hz for "
            f"the highest centre frequency"
        )
    time = np.arange(1, kernel_size + 1) / sample_rate
    pairs, left = divmod(filters // 2, frequencies)
    rows = []
    for index, centre in enumerate(centres):
        phases = pairs + (index < left)
        shift = np.arange(phases)[:, None] / phases * np.pi
        bandwidth = (24.7 + 0.108 * centre) / (np.pi / 2)
        envelope = time * np.exp(-2 * np.pi * bandwidth * time)
        shifted = envelope * np.cos(2 * np.pi * centre * time + shift)
        rows += [shifted, -shifted]
    bank = np.concatenate(rows)
    power = np.sqrt(np.mean(bank**2, axis=1, keepdims=True))
    return (bank * power.max() / power).astype("float32")
