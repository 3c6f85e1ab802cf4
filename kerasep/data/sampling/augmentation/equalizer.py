"""Equalisation: the tone of other microphones, amplifiers and mixing desks."""

import numpy as np
import scipy.fft


def equalize(
    waveform: np.ndarray,
    rng: np.random.Generator,
    sample_rate: int,
    decibels: tuple[float, float] = (-6.0, 6.0),
    bands: int = 6,
) -> np.ndarray:
    """Change the tone by a random smooth curve of gains, without delay.

    The gains are drawn at frequencies from 50 Hz to half the sample rate, evenly spaced on a
    logarithmic axis, and interpolated in decibels between them.

    Args:
        waveform: Float32 array `(samples, channels)`.
        rng: A NumPy random generator.
        sample_rate: In Hz.
        decibels: Range of the gains. Defaults to (-6, 6).
        bands: How many gains are drawn, at least 2. Defaults to 6.

    Returns:
        Float32 array of the same shape.

    Example:
    ```python
    import numpy as np
    from kerasep.data.sampling.augmentation import equalize

    tone = np.sin(np.arange(16000, dtype="float32"))[:, None]
    louder = equalize(tone, np.random.default_rng(0), 16000, decibels=(6.0206, 6.0206))
    assert np.allclose(louder[2000:-2000], 2 * tone[2000:-2000], atol=1e-3)
    ```
    """
    samples = len(waveform)
    centres = np.geomspace(50, sample_rate / 2, bands)
    gains = rng.uniform(*decibels, bands)
    # Silence at the end keeps the filter from wrapping around to the start.
    size = scipy.fft.next_fast_len(samples + sample_rate // 10, real=True)
    frequencies = scipy.fft.rfftfreq(size, 1 / sample_rate)
    curve = np.interp(np.log(np.maximum(frequencies, 1)), np.log(centres), gains)
    factors = (10 ** (curve / 20)).astype("float32")[:, None]
    spectrum = scipy.fft.rfft(np.asarray(waveform, "float32"), size, axis=0) * factors
    return scipy.fft.irfft(spectrum, size, axis=0)[:samples]
