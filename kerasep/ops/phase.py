"""Phase reconstruction: Griffin-Lim and multiple input spectrogram inversion (MISI)."""

import math
from collections.abc import Callable

import keras
from keras import ops

from kerasep.errors import InputError
from kerasep.ops.consistency import mixture_consistency
from kerasep.ops.spectra import magnitude as magnitude_of
from kerasep.ops.stft import istft, stft
from kerasep.system.types import Tensor


def with_phase(magnitude: Tensor, spectrum: Tensor) -> Tensor:
    """Combine a magnitude with the phase of a spectrum.

    The phase of bins that are zero is zero. The phase of very soft bins has a huge gradient. So no
    gradient passes through the phase of bins below a thousandth of their new magnitude.

    Args:
        magnitude: tensor `(...)`.
        spectrum: tensor `(..., 2)`.

    Returns:
        Spectrum `(..., 2)`, in float32.

    Example:
    >>> import numpy as np
    >>> np.asarray(with_phase(np.array([10.0]), np.array([[3.0, -4.0]]))).tolist()
    [[6.0, -8.0]]
    """
    magnitude = ops.cast(magnitude, "float32")[..., None]
    spectrum = ops.cast(spectrum, "float32")
    level = magnitude_of(spectrum)[..., None]
    silent = level == 0
    zero_phase = ops.convert_to_tensor([1.0, 0.0], "float32")
    direction = ops.where(silent, zero_phase, spectrum / ops.where(silent, 1.0, level))
    firm = level > 1e-3 * ops.abs(magnitude)
    return magnitude * ops.where(firm, direction, ops.stop_gradient(direction))


def random_phase(magnitude: Tensor, seed: int = 0) -> Tensor:
    """Combine a magnitude with random phases.

    Args:
        magnitude: tensor `(...)`.
        seed: integer that determines the phases. Defaults to 0.

    Returns:
        Spectrum `(..., 2)`, in float32.

    Example:
    >>> import numpy as np
    >>> tuple(random_phase(np.ones((1, 4, 5, 2))).shape)
    (1, 4, 5, 2, 2)
    """
    magnitude = ops.cast(magnitude, "float32")
    angle = 2 * math.pi * keras.random.uniform(ops.shape(magnitude), seed=seed)
    return ops.stack([magnitude * ops.cos(angle), magnitude * ops.sin(angle)], axis=-1)


def alternate_projections(
    magnitude: Tensor,
    spectrum: Tensor,
    consistent: Callable[[Tensor], Tensor],
    iterations: int,
    momentum: float = 0.0,
) -> Tensor:
    """Search for the spectrum of a waveform that has the magnitude `magnitude`.

    `P` replaces the magnitude of a spectrum (`with_phase`), `C` makes a spectrum consistent, and
    `a` is the momentum. Each iteration computes

        t_n = C(P(c_(n-1)))        c_n = t_n + a (t_n - t_(n-1))        t_0 = t_1

    This is Griffin-Lim if `a = 0`, and fast Griffin-Lim otherwise. It is MISI if `C` also makes
    sources sum to their mixture.

    Args:
        magnitude: tensor `(...)`.
        spectrum: `c_0`, the initial phases, a tensor `(..., 2)`.
        consistent: `C`, a function of a spectrum that returns a spectrum of the same shape.
        iterations: number of iterations.
        momentum: `a`. Defaults to 0.

    Returns:
        `P(c_n)` after the last iteration, a spectrum `(..., 2)` with exactly this magnitude.

    Raises:
        InputError: if the iterations or the momentum are negative.

    Example:
    ```python
    import numpy as np
    from kerasep import ops

    spectrum = ops.stft(np.random.randn(1, 8000, 1).astype("float32"), 512, 128)
    start = ops.random_phase(ops.magnitude(spectrum))
    result = ops.alternate_projections(
        ops.magnitude(spectrum),
        start,
        consistent=lambda s: ops.stft(ops.istft(s, 512, 128), 512, 128),
        iterations=10,
    )
    assert result.shape == spectrum.shape
    ```

    Reference:
        Perraudin, Balazs and Sondergaard 2013, "A fast Griffin-Lim algorithm", algorithm 1.
    """
    check_iterations(iterations, momentum)
    spectrum = with_phase(magnitude, spectrum)
    before = None
    for _ in range(iterations):
        now = consistent(spectrum)
        ahead = now if before is None else now + momentum * (now - before)
        spectrum, before = with_phase(magnitude, ahead), now
    return spectrum


def check_iterations(iterations: int, momentum: float = 0.0) -> None:
    """Validate the number of iterations and the momentum.

    Args:
        iterations: number of iterations.
        momentum: momentum of each iteration. Defaults to 0.

    Raises:
        InputError: if the iterations or the momentum are negative.

    Example:
    >>> check_iterations(32, 0.99)
    """
    if iterations < 0 or momentum < 0:
        raise InputError(
            f"received iterations={iterations}, momentum={momentum}, expected 0 or more of both"
        )


def griffin_lim(
    magnitude: Tensor,
    n_fft: int,
    hop: int,
    window: str | Tensor = "hann",
    center: bool = True,
    iterations: int = 32,
    momentum: float = 0.99,
    initial: Tensor | None = None,
    length: int | Tensor | None = None,
) -> Tensor:
    """Reconstruct waveforms from magnitudes by the (fast) Griffin-Lim algorithm.

    Each iteration transforms the spectrum to a waveform and back, which makes it consistent, and
    then restores its magnitude. The iterations are those of `alternate_projections`. Without
    momentum and with `center=False`, the distance to a consistent spectrum never grows. With
    momentum it usually ends lower, but may grow on the way.

    Args:
        magnitude: tensor `(batch, frames, n_fft / 2 + 1, channels)`.
        n_fft: as passed to `stft`.
        hop: as passed to `stft`.
        window: as passed to `stft`. Defaults to "hann".
        center: as passed to `stft`. Defaults to True.
        iterations: number of iterations. Defaults to 32.
        momentum: 0 for the method of Griffin and Lim, above 0 for that of Perraudin. Defaults to
            0.99.
        initial: spectrum `(batch, frames, n_fft / 2 + 1, channels, 2)` with the initial phases,
            such as the mixture's. Default: random phases from a fixed seed.
        length: samples to return, as in `istft`. Default: as many as the frames contain.

    Returns:
        Waveform `(batch, length, channels)`, float32.

    Raises:
        InputError: if the iterations or the momentum are negative, or under the conditions of
            `istft`.

    Example:
    ```python
    import numpy as np
    from kerasep import ops

    waveform = np.random.randn(1, 8000, 1).astype("float32")
    magnitude = ops.magnitude(ops.stft(waveform, 512, 128))
    again = ops.griffin_lim(magnitude, 512, 128, iterations=10, length=8000)
    assert tuple(again.shape) == (1, 8000, 1)
    ```

    Reference:
        Griffin and Lim 1984, "Signal estimation from modified short-time Fourier transform";
        Perraudin, Balazs and Sondergaard 2013, "A fast Griffin-Lim algorithm".
    """

    def inverse(spectrum):
        return istft(spectrum, n_fft, hop, window, center, length)

    def consistent(spectrum):
        return stft(inverse(spectrum), n_fft, hop, window, center)

    start = random_phase(magnitude) if initial is None else initial
    return inverse(alternate_projections(magnitude, start, consistent, iterations, momentum))


def misi(
    mixture: Tensor,
    source_magnitudes: Tensor,
    n_fft: int,
    hop: int,
    window: str | Tensor = "hann",
    center: bool = True,
    iterations: int = 5,
) -> Tensor:
    """Reconstruct sources that sum to the mixture from their magnitudes.

    This is multiple input spectrogram inversion. The iterations start at the phase of the mixture
    `x`. They compute, for each of the `J` sources,

        y_j = ISTFT(A_j exp(i phi_j))        z_j = y_j + (x - sum_j y_j) / J
        phi_j = angle(STFT(z_j))

    After the last iteration the first line is computed once more, and `z_j` is returned, which sums
    to the mixture. (Wang et al. return `y_j`, which does not.)

    Args:
        mixture: waveform `(batch, samples, channels)`.
        source_magnitudes: `(batch, frames, n_fft / 2 + 1, channels, sources)`.
        n_fft: as passed to `stft`.
        hop: as passed to `stft`.
        window: as passed to `stft`. Defaults to "hann".
        center: as passed to `stft`. Defaults to True.
        iterations: number of iterations. With 0, the mixture's phase is used and the remaining
            error is distributed. Defaults to 5.

    Returns:
        Source waveforms `(batch, samples, channels, sources)`, float32. Without centring, samples
        after the last frame are equal shares of the mixture.

    Raises:
        InputError: if the iterations are negative, or under the conditions of `stft` and `istft`.

    Example:
    ```python
    import numpy as np
    from kerasep import ops

    mixture = np.random.randn(1, 8000, 2).astype("float32")
    half = 0.5 * ops.magnitude(ops.stft(mixture, 512, 128))
    sources = ops.misi(mixture, np.stack([half, half], axis=-1), 512, 128)
    np.testing.assert_allclose(sources[..., 0] + sources[..., 1], mixture, atol=1e-5)
    ```

    Reference:
        Gunawan and Sen 2010, "Iterative phase estimation for the synthesis of separated sources
        from single-channel mixtures"; Wang, Le Roux, Wang and Hershey 2018, "End-to-end speech
        separation with unfolded iterative phase reconstruction", algorithm 1.
    """

    def transform(waveform):
        return stft(waveform, n_fft, hop, window, center)

    def inverse(spectrum):
        length = ops.shape(mixture)[1] if center else None
        return istft(spectrum, n_fft, hop, window, center, length)

    return invert_together(mixture, source_magnitudes, transform, inverse, iterations)


def invert_together(
    mixture: Tensor,
    source_magnitudes: Tensor,
    transform: Callable[[Tensor], Tensor],
    inverse: Callable[[Tensor], Tensor],
    iterations: int,
) -> Tensor:
    """Compute `misi` with any pair of transforms.

    Args:
        mixture: waveform `(batch, samples, channels)`.
        source_magnitudes: `(batch, frames, bins, channels, sources)`.
        transform: function of a waveform that returns its spectrum.
        inverse: function of a spectrum that returns a waveform, which may be longer or shorter than
            the mixture.
        iterations: number of iterations.

    Returns:
        Source waveforms `(batch, samples, channels, sources)`, float32.

    Raises:
        InputError: if the iterations are negative.

    Example:
    ```python
    import functools

    import numpy as np
    from kerasep import ops

    mixture = np.random.randn(1, 8000, 1).astype("float32")
    transform = functools.partial(ops.stft, n_fft=512, hop=128, window="sqrt_hann")
    inverse = functools.partial(ops.istft, n_fft=512, hop=128, window="sqrt_hann")
    magnitudes = ops.magnitude(transform(mixture))[..., None]
    sources = ops.invert_together(mixture, magnitudes, transform, inverse, iterations=2)
    np.testing.assert_allclose(sources[..., 0], mixture, atol=1e-5)
    ```
    """
    mixture = ops.cast(mixture, "float32")
    channels, count = source_magnitudes.shape[3:]

    def distributed(spectra):
        """Compute waveforms of source spectra, corrected to sum to the mixture."""
        folded = ops.reshape(spectra, (*ops.shape(spectra)[:3], channels * count, 2))
        waveforms = _fitted(inverse(folded), mixture)
        waveforms = ops.reshape(waveforms, (*ops.shape(waveforms)[:2], channels, count))
        return mixture_consistency(waveforms, mixture)

    def consistent(spectra):
        waveforms = distributed(spectra)
        folded = ops.reshape(waveforms, (*ops.shape(waveforms)[:2], channels * count))
        return ops.reshape(transform(folded), ops.shape(spectra))

    start = transform(mixture)[..., None, :]
    return distributed(alternate_projections(source_magnitudes, start, consistent, iterations))


def _fitted(waveform, like):
    """Crop a waveform, or pad it with zeros, to the number of samples of another."""
    samples = ops.shape(like)[1]
    missing = samples - ops.shape(waveform)[1]
    missing = max(0, missing) if isinstance(missing, int) else ops.maximum(0, missing)
    return ops.pad(waveform, [[0, 0], [0, missing], [0, 0]])[:, :samples]
