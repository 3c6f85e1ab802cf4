"""Band limits: what telephones, old records and low sample rates leave."""

import numpy as np
import scipy.signal

_ORDER = 4


def limit_band(
    waveform: np.ndarray,
    rng: np.random.Generator,
    sample_rate: int,
    low: tuple[float, float] | None = (20.0, 200.0),
    high: tuple[float, float] | None = (3000.0, 16000.0),
) -> np.ndarray:
    """Remove what is below one random frequency and above another, without delay.

    Args:
        waveform: Float32 array `(samples, channels)`.
        rng: A NumPy random generator.
        sample_rate: In Hz.
        low: Range of the lower limit in Hz, or None for no such limit. Defaults to (20, 200).
        high: Range of the upper limit in Hz, or None; above 0.95 of half the sample rate there is
            no limit. Defaults to (3000, 16000).

    Returns:
        Float32 array of the same shape.

    Example:
    ```python
    import numpy as np
    from kerasep.data.sampling.augmentation import limit_band

    hiss = np.random.default_rng(0).standard_normal((16000, 1)).astype("float32")
    muffled = limit_band(hiss, np.random.default_rng(1), 16000, low=None, high=(1000, 1000))
    spectrum = np.abs(np.fft.rfft(muffled[:, 0]))
    assert spectrum[2000:].max() < 0.01 * spectrum[:900].max()
    ```
    """
    nyquist = sample_rate / 2
    for limits, kind in ((low, "highpass"), (high, "lowpass")):
        if limits is None:
            continue
        # On a logarithmic axis, as pitches are.
        frequency = np.exp(rng.uniform(*np.log(limits)))
        if frequency < 0.95 * nyquist and len(waveform) > 8 * _ORDER:
            filters = scipy.signal.butter(_ORDER, frequency / nyquist, kind, output="sos")
            waveform = scipy.signal.sosfiltfilt(filters, waveform, axis=0)
    return np.asarray(waveform, "float32")
