"""Noise of several colours at a signal-to-noise ratio."""

from collections.abc import Sequence

import numpy as np
import scipy.fft

from kerasep.errors import InputError

_SLOPES = {"white": 0.0, "pink": 0.5, "brown": 1.0}  # of the magnitude, as a power of frequency


def add_noise(
    waveform: np.ndarray,
    rng: np.random.Generator,
    snr: tuple[float, float] = (10.0, 40.0),
    colours: Sequence[str] = ("white", "pink", "brown"),
) -> np.ndarray:
    """Add noise at a random signal-to-noise ratio; silence stays silent.

    Args:
        waveform: Float32 array `(samples, channels)`.
        rng: A NumPy random generator.
        snr: Range of the signal-to-noise ratio in dB. Defaults to (10, 40).
        colours: Of which one is drawn: white (a flat spectrum), pink (3 dB less power per octave),
            brown (6 dB). Defaults to all three.

    Returns:
        Float32 array of the same shape; every channel has noise of its own.

    Raises:
        InputError: A colour is unknown.

    Example:
    ```python
    import numpy as np
    from kerasep.data.sampling.augmentation import add_noise

    tone = np.sin(np.arange(16000, dtype="float32"))[:, None]
    noise = add_noise(tone, np.random.default_rng(0), snr=(20, 20)) - tone
    assert abs(10 * np.log10(np.mean(tone**2) / np.mean(noise**2)) - 20) < 0.01
    ```
    """
    unknown = set(colours) - _SLOPES.keys()
    if unknown or not colours:
        raise InputError(
            f"received colours {', '.join(sorted(unknown)) or 'none'} of noise: expected some of "
            f"{', '.join(_SLOPES)}"
        )
    power = float(np.mean(np.square(waveform)))
    decibels, slope = rng.uniform(*snr), _SLOPES[colours[int(rng.integers(len(colours)))]]
    samples, channels = waveform.shape
    length = scipy.fft.next_fast_len(max(samples, 2), real=True)
    noise = rng.standard_normal((length, channels), "float32")
    if slope:
        spectrum = scipy.fft.rfft(noise, axis=0)
        spectrum[1:] *= np.arange(1, len(spectrum), dtype="float32")[:, None] ** -slope
        spectrum[0] = 0
        noise = scipy.fft.irfft(spectrum, length, axis=0)
    noise = noise[:samples]
    scale = np.sqrt(power / max(float(np.mean(np.square(noise))), 1e-12) * 10 ** (-decibels / 10))
    return waveform + noise * np.float32(scale)
