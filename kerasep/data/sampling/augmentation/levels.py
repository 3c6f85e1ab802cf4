"""Level, polarity, channels."""

import numpy as np


def change_gain(
    waveform: np.ndarray, rng: np.random.Generator, decibels: tuple[float, float] = (-6.0, 6.0)
) -> np.ndarray:
    """Change the level of the whole waveform by one random gain.

    Args:
        waveform: Float32 array `(samples, channels)`.
        rng: A NumPy random generator.
        decibels: Range of the gain. Defaults to (-6, 6).

    Returns:
        Float32 array of the same shape.

    Example:
    >>> import numpy as np
    >>> from kerasep.data.sampling.augmentation import change_gain
    >>> change_gain(np.ones((2, 1), "float32"), np.random.default_rng(0), (6.0206, 6.0206)).round(3)
    array([[2.],
           [2.]], dtype=float32)
    """
    return waveform * np.float32(10 ** (rng.uniform(*decibels) / 20))


def flip_polarity(waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change the sign of all samples: what is heard is the same, what is summed is not.

    Args:
        waveform: Float32 array `(samples, channels)`.
        rng: Not used.

    Returns:
        Float32 array of the same shape.

    Example:
    >>> import numpy as np
    >>> from kerasep.data.sampling.augmentation import flip_polarity
    >>> flip_polarity(np.ones((1, 2), "float32"), np.random.default_rng(0))
    array([[-1., -1.]], dtype=float32)
    """
    return -waveform


def swap_channels(waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Reverse the order of the channels: left becomes right.

    Args:
        waveform: Float32 array `(samples, channels)`.
        rng: Not used.

    Returns:
        Float32 array of the same shape.

    Example:
    >>> import numpy as np
    >>> from kerasep.data.sampling.augmentation import swap_channels
    >>> swap_channels(np.array([[0.0, 1.0]], "float32"), np.random.default_rng(0))
    array([[1., 0.]], dtype=float32)
    """
    return np.ascontiguousarray(waveform[:, ::-1])
