"""The packed reference of spectrogram losses, and the targets and masks derived from it."""

from keras import ops

from kerasep.errors import InputError
from kerasep.ops.spectra import magnitude
from kerasep.system.types import Tensor


def pack_reference(mixture: Tensor, sources: Tensor) -> Tensor:
    """Pack the spectra of a mixture and its sources into the `y_true` of spectrogram losses.

    Args:
        mixture: spectrum `(batch, frames, bins, channels, 2)`.
        sources: spectra `(batch, frames, bins, channels, sources, 2)`.

    Returns:
        Reference `(batch, frames, bins, channels, 1 + sources, 2)`, with the mixture at index 0.

    Raises:
        InputError: if the shapes do not match each other.

    Example:
    >>> import numpy as np
    >>> tuple(pack_reference(np.zeros((1, 4, 5, 2, 2)), np.zeros((1, 4, 5, 2, 3, 2))).shape)
    (1, 4, 5, 2, 4, 2)
    """
    shape, expected = tuple(sources.shape), tuple(mixture.shape)
    if len(expected) != 5 or len(shape) != 6 or (*shape[:4], shape[5]) != expected:
        raise InputError(
            f"received mixture {expected} and sources {shape}, expected "
            f"(batch, frames, bins, channels, 2) and (batch, frames, bins, channels, sources, 2)"
        )
    return ops.concatenate([mixture[..., None, :], sources], axis=-2)


def unpack_reference(reference: Tensor) -> tuple[Tensor, Tensor]:
    """Split a packed reference into the mixture's spectrum and the sources' spectra.

    Args:
        reference: `(batch, frames, bins, channels, 1 + sources, 2)`.

    Returns:
        Mixture `(batch, frames, bins, channels, 2)`, sources `(batch, frames, bins, channels,
        sources, 2)`.

    Raises:
        InputError: if the shape is not that of a packed reference.

    Example:
    >>> import numpy as np
    >>> mixture, sources = unpack_reference(np.zeros((1, 4, 5, 2, 4, 2)))
    >>> sources.shape
    (1, 4, 5, 2, 3, 2)
    """
    if len(reference.shape) != 6 or reference.shape[-1] != 2 or reference.shape[-2] < 2:
        raise InputError(
            f"received a y_true of shape {tuple(reference.shape)}, expected the packed reference "
            f"(batch, frames, bins, channels, 1 + sources, 2): see kerasep.targets.pack_reference"
        )
    return reference[..., 0, :], reference[..., 1:, :]


def magnitude_target(reference: Tensor) -> Tensor:
    """Compute the sources' magnitudes `|S|`, the target of magnitude spectrum approximation (MSA).

    Args:
        reference: `(batch, frames, bins, channels, 1 + sources, 2)`.

    Returns:
        `(batch, frames, bins, channels, sources)`.

    Example:
    >>> import numpy as np
    >>> tuple(magnitude_target(np.ones((1, 4, 5, 2, 4, 2))).shape)
    (1, 4, 5, 2, 3)
    """
    return magnitude(unpack_reference(reference)[1])


def phase_sensitive_target(reference: Tensor) -> Tensor:
    """Compute the part of each source in phase with the mixture (PSA).

    `|S| cos(angle S - angle Y)`, computed as the real part of `S conj(Y) / |Y|` without angles.
    Bins in which the mixture is silent are 0.

    Args:
        reference: `(batch, frames, bins, channels, 1 + sources, 2)`.

    Returns:
        `(batch, frames, bins, channels, sources)`, which may be negative.

    Reference:
        Erdogan et al. 2015, "Phase-sensitive and recognition-boosted speech separation".
    """
    mixture, sources = unpack_reference(ops.cast(reference, "float32"))
    level = magnitude(mixture)[..., None]
    product = ops.sum(sources * mixture[..., None, :], axis=-1)
    return product / ops.maximum(level, 1e-10)


def truncated_phase_sensitive_target(reference: Tensor, limit: float = 1.0) -> Tensor:
    """Compute `phase_sensitive_target` clipped to the range of a mask from 0 to `limit` (tPSA).

    Args:
        reference: `(batch, frames, bins, channels, 1 + sources, 2)`.
        limit: the largest mask value. Defaults to 1.

    Returns:
        `(batch, frames, bins, channels, sources)`.

    Reference:
        Kolbaek et al. 2017; Wang, Le Roux and Hershey 2018.
    """
    mixture, _ = unpack_reference(reference)
    ceiling = limit * magnitude(mixture)[..., None]
    return ops.minimum(ops.maximum(phase_sensitive_target(reference), 0.0), ceiling)


def ideal_binary_mask(reference: Tensor) -> Tensor:
    """Compute the ideal binary mask (IBM), which is 1 if a source exceeds the sum of all others.

    With two sources that is the louder one. Anything else in the mixture counts as one more source.

    Args:
        reference: `(batch, frames, bins, channels, 1 + sources, 2)`.

    Returns:
        Masks `(batch, frames, bins, channels, sources)`.

    Reference:
        Wang 2005, "On ideal binary mask as the computational goal of auditory scene analysis".
    """
    mixture, sources = unpack_reference(ops.cast(reference, "float32"))
    rest = magnitude(mixture[..., None, :] - sources)
    return ops.cast(magnitude(sources) > rest, "float32")


def dominant_source(reference: Tensor) -> Tensor:
    """Return the loudest source of each bin as one-hot, the assignment that deep clustering learns.

    Anything else in the mixture counts as one more source, the last. There must be one column per
    source, as in Hershey et al. 2016. Some texts print a single column for one source, which cannot
    separate the other sources from each other.

    Args:
        reference: `(batch, frames, bins, channels, 1 + sources, 2)`.

    Returns:
        One-hot `(batch, frames, bins, channels, sources + 1)`.

    Example:
    >>> import numpy as np
    >>> spectra = np.zeros((1, 1, 1, 1, 3, 2))
    >>> spectra[..., 0] = [5, 1, 4]  # a mixture of two sources
    >>> np.array(dominant_source(spectra)).ravel().tolist()
    [0.0, 1.0, 0.0]

    Reference:
        Hershey et al. 2016, "Deep clustering: discriminative embeddings for segmentation and
        separation".
    """
    mixture, sources = unpack_reference(ops.cast(reference, "float32"))
    rest = mixture - ops.sum(sources, axis=-2)
    powers = ops.sum(ops.square(ops.concatenate([sources, rest[..., None, :]], axis=-2)), axis=-1)
    return ops.one_hot(ops.argmax(powers, axis=-1), powers.shape[-1], dtype="float32")


def ideal_ratio_mask(reference: Tensor) -> Tensor:
    """Compute the ideal ratio mask (IRM), `|S_i| / sum_j |S_j|`.

    Anything else in the mixture counts as one more source.

    Args:
        reference: `(batch, frames, bins, channels, 1 + sources, 2)`.

    Returns:
        Masks `(batch, frames, bins, channels, sources)`, 0 to 1.

    Reference:
        Liutkus and Badeau 2015, "Generalized Wiener filtering with fractional power spectrograms".
    """
    mixture, sources = unpack_reference(ops.cast(reference, "float32"))
    levels = magnitude(sources)
    rest = magnitude(mixture - ops.sum(sources, axis=-2))
    # A remainder at the level of rounding errors is not a source.
    rest = ops.where(rest > 1e-5 * magnitude(mixture), rest, 0.0)
    total = ops.sum(levels, axis=-1) + rest
    return levels / ops.maximum(total, 1e-10)[..., None]


def ideal_phase_sensitive_mask(reference: Tensor, limit: float = 1.0) -> Tensor:
    """Compute the mask whose product with the mixture's magnitude is the tPSA target.

    Args:
        reference: `(batch, frames, bins, channels, 1 + sources, 2)`.
        limit: the largest mask value. Defaults to 1.

    Returns:
        Masks `(batch, frames, bins, channels, sources)`, 0 to `limit`.
    """
    mixture, _ = unpack_reference(reference)
    level = magnitude(mixture)[..., None]
    return truncated_phase_sensitive_target(reference, limit) / ops.maximum(level, 1e-10)
