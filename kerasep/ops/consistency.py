"""Mixture consistency, which makes estimates sum to the mixture."""

from keras import ops

from kerasep.errors import InputError
from kerasep.system.types import Tensor

# Keeps weights finite and equal if all estimates are silent.
EPSILON = 1e-8


def mixture_consistency(estimates: Tensor, mixture: Tensor, weighting: str = "uniform") -> Tensor:
    """Distribute the difference to the mixture among the estimates, so that they sum to it.

    Returns `s_i + w_i (x - sum_j s_j)` with weights `w` that sum to one. Among all estimates that
    sum to the mixture, these are the nearest in the sense of (weighted) least squares. Use it only
    if the mixture contains nothing but the sources.

    Args:
        estimates: waveforms `(batch, samples, channels, sources)`, or spectra `(batch, frames,
            bins, channels, sources, 2)`.
        mixture: waveform `(batch, samples, channels)`, or spectrum `(batch, frames, bins, channels,
            2)`.
        weighting: "uniform" for equal weights, or "power" for weights in proportion to each
            estimate's power. The power is that of the whole waveform, or of each bin of a spectrum.
            Defaults to "uniform".

    Returns:
        Tensor of the estimates' shape, in float32.

    Raises:
        InputError: if the shapes do not match each other, or the weighting is unknown.

    Example:
    >>> import numpy as np
    >>> estimates, mixture = np.random.randn(1, 100, 2, 3), np.random.randn(1, 100, 2)
    >>> total = np.asarray(mixture_consistency(estimates, mixture)).sum(axis=-1)
    >>> bool(np.allclose(total, mixture, atol=1e-5))
    True

    Reference:
        Wisdom et al. 2019, "Differentiable consistency constraints for improved deep speech
        enhancement".
    """
    if weighting not in ("uniform", "power"):
        raise InputError(f"received weighting={weighting!r}, expected uniform or power")
    ranks = len(estimates.shape), len(mixture.shape)
    if ranks not in ((4, 3), (6, 5)):
        raise InputError(
            f"received estimates {tuple(estimates.shape)} and mixture {tuple(mixture.shape)}, "
            f"expected waveforms (batch, samples, channels, sources) and (batch, samples, "
            f"channels), or spectra (batch, frames, bins, channels, sources, 2) and (batch, "
            f"frames, bins, channels, 2)"
        )
    estimates = ops.cast(estimates, "float32")
    mixture = ops.cast(mixture, "float32")
    sources, signal = (-1, (1, 2)) if ranks == (4, 3) else (-2, (-1,))
    rest = ops.expand_dims(mixture, sources) - ops.sum(estimates, axis=sources, keepdims=True)
    if weighting == "uniform":
        return estimates + rest / estimates.shape[sources]
    power = ops.mean(ops.square(estimates), axis=signal, keepdims=True) + EPSILON
    return estimates + rest * (power / ops.sum(power, axis=sources, keepdims=True))
