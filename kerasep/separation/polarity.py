"""A recording and its negative, separated both: the estimates are averaged."""

import numpy as np

from kerasep.separation.chunks import ChunkSeparator, best_order


def both_polarities(separator: ChunkSeparator) -> ChunkSeparator:
    """Return a separator whose estimates are `(f(x) - f(-x)) / 2`, in twice the time.

    Whatever a network adds whichever way round the waveform is, such as the noise of its biases in
    silence, cancels. Ultimate Vocal Remover calls this "denoise output" and offers it for MDX-Net.

    Args:
        separator: A `kerasep.separation.recordings.ChunkSeparator`.

    Returns:
        A `ChunkSeparator`. Interchangeable sources of the negative take the order of the others.

    Example:
    ```python
    import numpy as np
    from kerasep.separation.chunks import ChunkSeparator
    from kerasep.separation.polarity import both_polarities

    noisy = ChunkSeparator(lambda x: (0.5 * x + 0.01)[..., None], ("vocals",), 8000, 1, 4000, 400)
    quiet = both_polarities(noisy)
    assert np.allclose(quiet.process(np.ones((1, 9, 1))), 0.5)
    ```
    """

    def process(batch):
        estimates, negatives = (np.asarray(separator.process(x)) for x in (batch, -batch))
        if separator.interchangeable:
            pairs = zip(estimates, -negatives, strict=True)
            negatives = -np.stack([found[..., best_order(like, found)] for like, found in pairs])
        return (estimates - negatives) / 2

    return separator._replace(process=process)
