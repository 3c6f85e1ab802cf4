"""Signal-to-distortion ratios between waveforms, in dB."""

import math

from keras import ops

from kerasep.system.types import Tensor

# Below the energy of one 24-bit quantisation step over a few samples. It keeps the ratios of silent
# and of perfect estimates finite, at about +-100 dB, and changes no ratio of audible signals.
EPSILON = 1e-8


def snr(reference: Tensor, estimate: Tensor, axis: int | tuple[int, ...] = 1) -> Tensor:
    """Compute the signal-to-noise ratio in dB.

    `10 log10(|s|^2 / |s - e|^2)`. If both channels are summed over, this is uSDR, the "SDR" of the
    Music Demixing Challenge 2021.

    Args:
        reference: true waveforms, samples along `axis`.
        estimate: estimated waveforms of the same shape.
        axis: axis or axes of one signal. Defaults to 1.

    Returns:
        Tensor in dB without the axes in `axis`.

    Example:
    >>> import numpy as np
    >>> s = np.ones((1, 100, 1), "float32")
    >>> round(float(snr(s, 0.9 * s)[0, 0]))
    20
    """
    reference, estimate = _float32(reference, estimate)
    return decibels(_energy(reference, axis), _energy(reference - estimate, axis))


def thresholded_snr(
    reference: Tensor, estimate: Tensor, limit: float = 30.0, axis: int | tuple[int, ...] = 1
) -> Tensor:
    """Compute the signal-to-noise ratio with an upper limit, in dB.

    `10 log10(|s|^2 / (|s - e|^2 + t |s|^2))` with `t = 10^(-limit / 10)` (Wisdom et al. 2020,
    "Unsupervised sound separation using mixture invariant training").

    Args:
        reference: true waveforms, samples along `axis`.
        estimate: estimated waveforms of the same shape.
        limit: ratio of a perfect estimate, in dB. Defaults to 30.
        axis: axis or axes of one signal. Defaults to 1.

    Returns:
        Tensor in dB without the axes in `axis`.

    Example:
    >>> import numpy as np
    >>> s = np.ones((1, 100, 1), "float32")
    >>> round(float(thresholded_snr(s, s)[0, 0]), 2)
    30.0
    """
    reference, estimate = _float32(reference, estimate)
    signal = _energy(reference, axis)
    noise = _energy(reference - estimate, axis) + 10 ** (-limit / 10) * signal
    return decibels(signal, noise)


def si_sdr(
    reference: Tensor, estimate: Tensor, axis: int | tuple[int, ...] = 1, zero_mean: bool = False
) -> Tensor:
    """Compute the scale-invariant signal-to-distortion ratio in dB.

    `10 log10(|a s|^2 / |a s - e|^2)` with `a = <e, s> / |s|^2` (Le Roux et al. 2019, "SDR -
    half-baked or well done?").

    Args:
        reference: true waveforms, samples along `axis`.
        estimate: estimated waveforms of the same shape.
        axis: axis or axes of one signal. Defaults to 1.
        zero_mean: whether to subtract the mean of both signals first. Defaults to False.

    Returns:
        Tensor in dB without the axes in `axis`.

    Example:
    >>> import numpy as np
    >>> s = np.random.randn(1, 100, 1).astype("float32")
    >>> bool(np.allclose(si_sdr(s, s + 0.1), si_sdr(s, 7 * (s + 0.1)), atol=1e-2))
    True
    """
    reference, target, estimate = _projected(reference, estimate, axis, zero_mean)
    return decibels(_energy(target, axis), _energy(target - estimate, axis))


def si_snr(reference: Tensor, estimate: Tensor, axis: int | tuple[int, ...] = 1) -> Tensor:
    """Compute the scale-invariant signal-to-noise ratio in dB, the `si_sdr` of zero-mean signals.

    Luo and Mesgarani 2018 (TasNet).

    Args:
        reference: true waveforms, samples along `axis`.
        estimate: estimated waveforms of the same shape.
        axis: axis or axes of one signal. Defaults to 1.

    Returns:
        Tensor in dB without the axes in `axis`.

    Example:
    >>> import numpy as np
    >>> s = np.random.randn(1, 100, 1).astype("float32")
    >>> bool(np.allclose(si_snr(s, s[:, ::-1]), si_snr(s, s[:, ::-1] + 3), atol=1e-2))
    True
    """
    return si_sdr(reference, estimate, axis, zero_mean=True)


def sd_sdr(reference: Tensor, estimate: Tensor, axis: int | tuple[int, ...] = 1) -> Tensor:
    """Compute the scale-dependent signal-to-distortion ratio in dB.

    `10 log10(|a s|^2 / |s - e|^2)` with `a = <e, s> / |s|^2`. Unlike `si_sdr` it penalises a wrong
    level (Le Roux et al. 2019).

    Args:
        reference: true waveforms, samples along `axis`.
        estimate: estimated waveforms of the same shape.
        axis: axis or axes of one signal. Defaults to 1.

    Returns:
        Tensor in dB without the axes in `axis`.

    Example:
    >>> import numpy as np
    >>> s = np.ones((1, 100, 1), "float32")
    >>> round(float(sd_sdr(s, 0.9 * s)[0, 0]), 1)
    19.1
    """
    reference, target, estimate = _projected(reference, estimate, axis, zero_mean=False)
    return decibels(_energy(target, axis), _energy(reference - estimate, axis))


def _projected(reference, estimate, axis, zero_mean):
    """Return the reference, its multiple closest to the estimate, and the estimate."""
    reference, estimate = _float32(reference, estimate)
    if zero_mean:
        reference = reference - ops.mean(reference, axis=axis, keepdims=True)
        estimate = estimate - ops.mean(estimate, axis=axis, keepdims=True)
    product = ops.sum(reference * estimate, axis=axis, keepdims=True)
    energy = ops.sum(ops.square(reference), axis=axis, keepdims=True)
    return reference, product / (energy + EPSILON) * reference, estimate


def _float32(*tensors):
    return [ops.cast(tensor, "float32") for tensor in tensors]


def _energy(x, axis):
    return ops.sum(ops.square(x), axis=axis)


def decibels(signal: Tensor, noise: Tensor) -> Tensor:
    """Compute `10 log10(signal / noise)` of energies, finite if either is 0."""
    return (ops.log(signal + EPSILON) - ops.log(noise + EPSILON)) * (10 / math.log(10))
