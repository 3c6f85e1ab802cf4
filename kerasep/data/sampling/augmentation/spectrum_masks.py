"""SpecAugment: holes in time and in frequency."""

import numpy as np


def mask_spectrum(
    spectrum: np.ndarray,
    rng: np.random.Generator,
    times: int = 2,
    frames: int = 20,
    bands: int = 2,
    bins: int = 40,
) -> np.ndarray:
    """Set random frames and random bins to zero.

    In a pipeline the same cells of the mixture and of the reference are zero, so that the loss
    ignores what the network cannot see.

    Args:
        spectrum: Array `(frames, bins, ...)`: magnitudes, or anything over the same cells.
        rng: A NumPy random generator.
        times: How many spans of frames. Defaults to 2.
        frames: The longest span. Defaults to 20.
        bands: How many bands of bins. Defaults to 2.
        bins: The widest band. Defaults to 40.

    Returns:
        Array of the same shape.

    Example:
    ```python
    import numpy as np
    from kerasep.data.sampling.augmentation import mask_spectrum

    masked = mask_spectrum(np.ones((100, 200)), np.random.default_rng(0), times=1, bands=0)
    assert set(masked.sum(axis=1)) == {0.0, 200.0}
    ```

    Reference:
        Park et al. 2019, "SpecAugment: a simple data augmentation method for automatic speech
        recognition".
    """
    masked = np.array(spectrum)
    for axis, count, widest in ((0, times, frames), (1, bands, bins)):
        size = masked.shape[axis]
        for _ in range(count):
            width = int(rng.integers(0, min(widest, size), endpoint=True))
            start = int(rng.integers(0, size - width, endpoint=True))
            span = slice(start, start + width)
            masked[(span,) if axis == 0 else (slice(None), span)] = 0
    return masked
