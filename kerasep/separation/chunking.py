"""How the programs of several projects cut a recording into chunks and join the results."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Ends(NamedTuple):
    """What is put before and behind a recording before it is cut, and removed from its stems.

    Attributes:
        needed: A recording is extended only if it is longer than this, in samples.
        before: Function of the first `needed` samples and one more that returns those before.
        after: Function of the last `needed` samples and one more, and of the number of samples of
            the recording, that returns those behind it.
    """

    needed: int
    before: Callable[[np.ndarray], np.ndarray]
    after: Callable[[np.ndarray, int], np.ndarray]


class Chunking(NamedTuple):
    """A way of cutting a recording into chunks, and of joining the results.

    Attributes:
        window: Function of the samples of a piece, of a chunk and of the overlap that returns the
            piece's weights. Results are averaged with these weights.
        fill: Function of the samples before a piece, of a piece shorter than a chunk, of the
            samples of a chunk and of the hop. It returns the samples to process, and where in them
            the piece starts.
        to_the_end: Whether chunks start at every step up to the end. Otherwise the first chunk that
            reaches the end is the last, and chunks share at most half of their samples.
        ends: Function of the samples of a chunk and of the step that returns the `Ends`, or None.
    """

    window: Callable[[int, int, int], np.ndarray]
    fill: Callable[[np.ndarray, np.ndarray, int, int], tuple[np.ndarray, int]]
    to_the_end: bool = True
    ends: Callable[[int, int], Ends | None] = lambda chunk, step: None


def of_model(name: str, n_fft: int | None = None) -> Chunking:
    """Return the chunking of a model.

    Args:
        name: The model's `chunking`: "kerasep", "demucs", "msst" or "uvr".
        n_fft: FFT length of the model in samples, for "uvr". Defaults to None.

    Example:
    >>> of_model("demucs") is DEMUCS
    True
    """
    return uvr(n_fft // 2) if name == "uvr" and n_fft else _BY_NAME[name]


def _middle(samples, chunk, overlap):
    """Drop the outer quarters of what chunks share, and cross-fade linearly between them."""
    first, last = overlap // 4, overlap - overlap // 4
    rise = np.zeros(overlap)
    rise[first:last] = (np.arange(last - first) + 0.5) / max(last - first, 1)
    rise[last:] = 1
    weights = np.ones(chunk)
    weights[:overlap] = rise
    weights[chunk - overlap :] = rise[::-1]
    return weights[:samples]


def _triangle(samples, chunk, overlap):
    """Rise linearly up to the middle of a chunk: where two meet, they are cross-faded linearly."""
    half = np.arange(1, chunk // 2 + 1)
    return np.concatenate([half, np.arange(chunk - chunk // 2, 0, -1)])[:samples].astype("float64")


def _ramps(samples, chunk, overlap):
    """Rise and fall linearly over the outer tenths of a chunk."""
    ramp = np.linspace(0, 1, chunk // 10)
    weights = np.ones(chunk)
    weights[chunk - len(ramp) :] = ramp[::-1]
    weights[: len(ramp)] = ramp
    return weights[:samples]


def _hann(samples, chunk, overlap):
    """Return a symmetric Hann window of the piece's own length."""
    return np.hanning(samples) if overlap else np.ones(samples)


def _start_early(before, piece, chunk, hop):
    """Start the last chunk earlier by whole hops: its samples have as much before them."""
    early = (chunk - len(piece)) // hop * hop if len(before) else 0
    return np.concatenate([before[len(before) - early :], piece]), early


def _center(before, piece, chunk, hop):
    """Put as much before the piece as behind it: what lies there, and silence beyond the ends."""
    missing = chunk - len(piece)
    left = missing // 2
    context = before[max(len(before) - left, 0) :]
    parts = [_silence(piece, left - len(context)), context, piece]
    return np.concatenate([*parts, _silence(piece, missing - left)]), left


def _mirror(before, piece, chunk, hop):
    """Mirror the end of a piece that is longer than half a chunk; put silence behind others."""
    missing = chunk - len(piece)
    mirrored = piece[-2 : -missing - 2 : -1]
    rest = mirrored if len(piece) > chunk // 2 else _silence(piece, missing)
    return np.concatenate([piece, rest]), 0


def _put_silence(before, piece, chunk, hop):
    return np.concatenate([piece, _silence(piece, chunk - len(piece))]), 0


def _silence(like, samples):
    return np.zeros((samples, *like.shape[1:]), like.dtype)


def _mirrored_ends(chunk, step):
    """Mirror as much as two chunks share, so that as many chunks cover every sample."""
    margin = chunk - step
    if margin == 0:
        return None
    return Ends(
        2 * margin,
        lambda head: head[margin:0:-1],
        lambda tail, samples: tail[-2 : -margin - 2 : -1],
    )


def uvr(trim: int) -> Chunking:
    """Return the chunking of Ultimate Vocal Remover for MDX-Net.

    Chunks are averaged with Hann windows. Silence lies at both ends.

    Args:
        trim: Samples of silence before the recording, half of the model's FFT.

    Example:
    >>> uvr(100).ends(1000, 750).before(np.ones((1, 2))).shape
    (100, 2)
    """

    def ends(chunk, step):
        useful = max(chunk - 2 * trim, 1)
        return Ends(
            0,
            lambda head: _silence(head, trim),
            lambda tail, samples: _silence(tail, useful + trim - samples % useful),
        )

    return Chunking(_hann, _put_silence, ends=ends)


KERASEP = Chunking(_middle, _start_early, to_the_end=False)
DEMUCS = Chunking(_triangle, _center)
# Music-Source-Separation-Training
MSST = Chunking(_ramps, _mirror, ends=_mirrored_ends)
_BY_NAME = {"kerasep": KERASEP, "demucs": DEMUCS, "msst": MSST}
