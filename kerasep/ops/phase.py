"""Phases for magnitudes: Griffin-Lim and multiple input spectrogram inversion."""

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
    """Give a magnitude the phase of a spectrum; where that is zero, the phase is zero.

    The phase of almost nothing changes at a touch, and so has a huge gradient: none passes through
    the phase of bins below a thousandth of the magnitude that they get.

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
    """Give a magnitude random phases, the same for the same seed.

    Args:
        magnitude: tensor `(...)`.
        seed: whole number. Defaults to 0.

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
    """Look for a spectrum that has a given magnitude and is one of waveforms.

    With `P` giving a spectrum the magnitude (`with_phase`), `C` making it consistent, and momentum
    `a`, each iteration takes

        t_n = C(P(c_(n-1)))        c_n = t_n + a (t_n - t_(n-1))        t_0 = t_1

    This is Griffin-Lim for `a = 0`, fast Griffin-Lim for others, and MISI where `C` lets sources
    sum to their mixture.

    Args:
        magnitude: tensor `(...)`.
        spectrum: `c_0`, a tensor `(..., 2)`: where the phases start.
        consistent: `C`, a function of a spectrum that returns one of the same shape.
        iterations: how often to iterate.
        momentum: `a`. Defaults to 0.

    Returns:
        `P(c_n)` after the last iteration: spectrum `(..., 2)` of exactly the given magnitude.

    Raises:
        InputError: for fewer than 0 iterations or a negative momentum.

    Example:
    ```python
    import numpy as np
    from kerasep import ops

    spectrum = ops.stft(np.random.randn(1, 8000, 1).astype("float32"), 512, 128)
    start = ops.random_phase(ops.magnitude(spectrum))
    found = ops.alternate_projections(
        ops.magnitude(spectrum),
        start,
        consistent=lambda s: ops.stft(ops.istft(s, 512, 128), 512, 128),
        iterations=10,
    )
    assert found.shape == spectrum.shape
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
    """Refuse settings that an iteration cannot have.

    Args:
        iterations: how often to iterate.
        momentum: of each step. Defaults to 0.

    Raises:
        InputError: for fewer than 0 iterations or a negative momentum.

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
    """Waveforms whose spectra have a given magnitude, as nearly as may be.

    The spectrum is transformed to a waveform and back, which makes it consistent, and gets its
    magnitude back, again and again; the iterations are `alternate_projections`. Without momentum
    and with `center=False`, the distance to a consistent spectrum never grows; with momentum it
    ends lower, on the whole, but may grow on the way.

    Args:
        magnitude: tensor `(batch, frames, n_fft / 2 + 1, channels)`.
        n_fft: as given to `stft`.
        hop: as given to `stft`.
        window: as given to `stft`. Defaults to "hann".
        center: as given to `stft`. Defaults to True.
        iterations: how often to iterate. Defaults to 32.
        momentum: 0 for the method of Griffin and Lim, else that of Perraudin. Defaults to 0.99.
        initial: spectrum `(batch, frames, n_fft / 2 + 1, channels, 2)` whose phases to start from,
            such as the mixture's. Default: random phases, the same ones every time.
        length: samples to return, as `istft` takes it. Default: as many as the frames give.

    Returns:
        Waveform `(batch, length, channels)`, float32.

    Raises:
        InputError: for fewer than 0 iterations, a negative momentum, or what `istft` refuses.

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
    """Sources that have given magnitudes, as nearly as may be, and sum to the mixture.

    Multiple input spectrogram inversion. From the phase of the mixture `x` on, for each of the
    `J` sources,

        y_j = ISTFT(A_j exp(i phi_j))        z_j = y_j + (x - sum_j y_j) / J
        phi_j = angle(STFT(z_j))

    and after the last iteration the first line once more: `z_j` is returned, which sums to the
    mixture. (Wang et al. return `y_j`, which do not.)

    Args:
        mixture: waveform `(batch, samples, channels)`.
        source_magnitudes: `(batch, frames, n_fft / 2 + 1, channels, sources)`.
        n_fft: as given to `stft`.
        hop: as given to `stft`.
        window: as given to `stft`. Defaults to "hann".
        center: as given to `stft`. Defaults to True.
        iterations: how often to iterate; 0 is the mixture's phase, and its error shared out.
            Defaults to 5.

    Returns:
        Source waveforms `(batch, samples, channels, sources)`, float32. Without centring, samples
        after the last frame are shares of the mixture.

    Raises:
        InputError: for fewer than 0 iterations, or what `stft` and `istft` refuse.

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
    """`misi` with any pair of transforms.

    Args:
        mixture: waveform `(batch, samples, channels)`.
        source_magnitudes: `(batch, frames, bins, channels, sources)`.
        transform: function of a waveform that returns its spectrum.
        inverse: function of a spectrum that returns a waveform; it may be longer or shorter than
            the mixture.
        iterations: how often to iterate.

    Returns:
        Source waveforms `(batch, samples, channels, sources)`, float32.

    Raises:
        InputError: for fewer than 0 iterations.

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
        """Waveforms of source spectra, the error of their sum shared out."""
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
    """Cut a waveform, or fill it up with zeros, to the number of samples of another."""
    samples = ops.shape(like)[1]
    missing = samples - ops.shape(waveform)[1]
    missing = max(0, missing) if isinstance(missing, int) else ops.maximum(0, missing)
    return ops.pad(waveform, [[0, 0], [0, missing], [0, 0]])[:, :samples]
