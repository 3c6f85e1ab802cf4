"""Source spectra from source magnitudes, by the mixture's phase or a multichannel Wiener filter."""

from keras import ops

from kerasep.ops.spectra import apply_mask, magnitude
from kerasep.system.types import Tensor

EPSILON = 1e-10


def mixture_phase(spectrum: Tensor, source_magnitudes: Tensor) -> Tensor:
    """Combine source magnitudes with the phase of the mixture.

    Args:
        spectrum: mixture spectrum `(batch, frames, bins, channels, 2)`.
        source_magnitudes: `(batch, frames, bins, channels, sources)`.

    Returns:
        Source spectra `(batch, frames, bins, channels, sources, 2)`. Bins in which the mixture is
        zero are zero.

    Example:
    ```python
    import numpy as np
    from kerasep import ops

    mixture = np.random.randn(1, 4, 5, 2, 2).astype("float32")
    half = 0.5 * ops.magnitude(mixture)[..., None]
    spectra = ops.mixture_phase(mixture, half)
    np.testing.assert_allclose(spectra[..., 0, :], 0.5 * mixture, atol=1e-5)
    ```
    """
    level = magnitude(spectrum)[..., None]
    mask = ops.cast(source_magnitudes, "float32") / ops.maximum(level, EPSILON)
    return apply_mask(mask, spectrum)


def wiener(spectrum: Tensor, source_magnitudes: Tensor, iterations: int = 1) -> Tensor:
    """Apply a multichannel Wiener filter, fitted by expectation maximisation.

    Each source is a zero-mean complex Gaussian with power `v_j(t, f)` and a spatial covariance
    `R_j(f)` that is constant in time. One iteration computes, from the current estimates `y_j`,

        v_j = mean_c |y_j|^2        R_j = sum_t y_j y_j^H / sum_t v_j
        y_j = v_j R_j (sum_j v_j R_j + e I)^-1 x

    The initial estimates are the source magnitudes with the mixture's phase. Recordings whose
    magnitude exceeds 10 are scaled down, as in Open-Unmix, so that the regulariser `e = 1e-5` has
    the same effect at every level.

    Args:
        spectrum: mixture spectrum `(batch, frames, bins, channels, 2)` with any number of channels.
        source_magnitudes: `(batch, frames, bins, channels, sources)` with any number of sources.
        iterations: number of iterations. With 0, the result is that of `mixture_phase`. Defaults to
            1.

    Returns:
        Source spectra `(batch, frames, bins, channels, sources, 2)`.

    Example:
    ```python
    import keras
    import numpy as np
    from kerasep import ops

    mixture = np.random.randn(1, 50, 5, 2, 2).astype("float32")
    magnitudes = np.abs(np.random.randn(1, 50, 5, 2, 3)).astype("float32")
    spectra = keras.ops.convert_to_numpy(ops.wiener(mixture, magnitudes))
    assert tuple(spectra.shape) == (1, 50, 5, 2, 3, 2)
    np.testing.assert_allclose(spectra.sum(axis=-2), mixture, atol=1e-2)
    ```

    Reference:
        Nugraha, Liutkus and Vincent 2016, "Multichannel audio source separation with deep neural
        networks", section III; Duong, Vincent and Gribonval 2010.
    """
    estimate = mixture_phase(spectrum, source_magnitudes)
    if iterations == 0:
        return estimate
    spectrum = ops.cast(spectrum, "float32")
    peak = ops.max(magnitude(spectrum), axis=(1, 2, 3), keepdims=True)
    scale = ops.maximum(peak / 10, 1.0)[..., None]
    spectrum = spectrum / scale
    estimate = estimate / scale[..., None]
    for _ in range(iterations):
        estimate = _iterate(spectrum, estimate)
    return estimate * scale[..., None]


def _iterate(spectrum, estimate):
    """Compute one step of expectation maximisation on pairs of real and imaginary tensors."""
    real, imaginary = estimate[..., 0], estimate[..., 1]
    power = ops.mean(ops.square(real) + ops.square(imaginary), axis=3)
    total = EPSILON + ops.sum(power, axis=1)[..., None, None]
    outer = "btfcs,btfds->bfscd"
    R_real = (ops.einsum(outer, real, real) + ops.einsum(outer, imaginary, imaginary)) / total
    R_imag = (ops.einsum(outer, imaginary, real) - ops.einsum(outer, real, imaginary)) / total
    mix = "btfs,bfscd->btfcd"
    z_real, z_imag = _solve(
        ops.einsum(mix, power, R_real), ops.einsum(mix, power, R_imag), spectrum
    )
    through = "bfscd,btfd->btfcs"
    y_real = ops.einsum(through, R_real, z_real) - ops.einsum(through, R_imag, z_imag)
    y_imag = ops.einsum(through, R_real, z_imag) + ops.einsum(through, R_imag, z_real)
    gain = power[..., None, :]
    return ops.stack([gain * y_real, gain * y_imag], axis=-1)


def _solve(real, imaginary, spectrum):
    """Solve `(C + e I) z = x` for every frame and bin, `C` Hermitian and positive."""
    channels, least = spectrum.shape[3], EPSILON**0.5
    C = [
        [(real[..., i, j], imaginary[..., i, j]) for j in range(channels)] for i in range(channels)
    ]
    for i in range(channels):
        C[i][i] = (C[i][i][0] + least, C[i][i][1])
    z = [(spectrum[..., i, 0], spectrum[..., i, 1]) for i in range(channels)]
    for k in range(channels):
        # No pivot of C + e I is below e, but rounding may push it there if channels are equal.
        pivot = ops.maximum(C[k][k][0], least)
        C[k][k] = (pivot, 0.0)
        for i in range(k + 1, channels):
            factor = (C[i][k][0] / pivot, C[i][k][1] / pivot)
            for j in range(k + 1, channels):
                C[i][j] = _minus_product(C[i][j], factor, C[k][j])
            z[i] = _minus_product(z[i], factor, z[k])
    for k in reversed(range(channels)):
        for j in range(k + 1, channels):
            z[k] = _minus_product(z[k], C[k][j], z[j])
        pivot = C[k][k][0]
        z[k] = (z[k][0] / pivot, z[k][1] / pivot)
    return ops.stack([r for r, _ in z], axis=-1), ops.stack([i for _, i in z], axis=-1)


def _minus_product(a, b, c):
    """Compute `a - b c` of complex numbers."""
    return (a[0] - b[0] * c[0] + b[1] * c[1], a[1] - b[0] * c[1] - b[1] * c[0])
