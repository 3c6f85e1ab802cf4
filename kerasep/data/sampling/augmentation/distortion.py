"""Distortion: what amplifiers, tape and hard-working compressors add."""

import numpy as np


def distort(
    waveform: np.ndarray, rng: np.random.Generator, drive: tuple[float, float] = (0.0, 18.0)
) -> np.ndarray:
    """Clip the waveform softly, `tanh(g x)`, and restore its level.

    Args:
        waveform: Float32 array `(samples, channels)`.
        rng: A NumPy random generator.
        drive: Range of the level of the peaks over the clipping point in dB: at 0 they lose 2.4 dB,
            at 18 the waveform is nearly square. Defaults to (0, 18).

    Returns:
        Float32 array of the same shape and the same root mean square.

    Example:
    ```python
    import numpy as np
    from kerasep.data.sampling.augmentation import distort

    tone = 0.1 * np.sin(np.arange(16000, dtype="float32"))[:, None]
    square = distort(tone, np.random.default_rng(0), drive=(30, 30))
    assert abs(np.std(square) - np.std(tone)) < 1e-4
    assert np.abs(square).max() < 0.08 < np.abs(tone).max()
    ```
    """
    gain = 10 ** (rng.uniform(*drive) / 20)
    peak = np.abs(waveform).max(initial=0)
    if peak == 0:
        return waveform.astype("float32")
    clipped = np.tanh(waveform * (gain / peak))
    level = np.sqrt(
        np.mean(np.square(waveform), dtype="float64") / np.mean(np.square(clipped), dtype="float64")
    )
    return (clipped * level).astype("float32")
