"""Mix sources: levels, channels, then their sum.

A waveform is a float32 array `(samples, channels)`. Complex64 spectra
`(frames, bins, channels)` are cut along the first axis and swapped along the last one, too.
"""

import math

import numpy as np

_BLOCK = 1 << 15
_SILENCE = 1e-6


def bring_to(level, waveform):
    """Scale a waveform in place to an RMS of `level` dB of full scale; silence stays."""
    rms = _rms(waveform)
    if rms > _SILENCE:
        waveform *= np.float32(10 ** (level / 20) / rms)


def relative_gains(waveforms, crops):
    """Compute the gains that give every waveform (None if silent) its level below the first."""
    gains, reference = [], None
    for waveform, crop in zip(waveforms, crops, strict=True):
        gain = crop.gain
        if waveform is not None and crop.below is not None:
            level = _rms(waveform)
            if level > _SILENCE and reference is None:
                reference = level
            elif level > _SILENCE:
                gain *= reference / level * 10 ** (-crop.below / 20)
        gains.append(gain)
    return gains


def mix(waveforms, gains, swaps, mixture, sources):
    """Add waveforms up, and return whether all samples of the mixture are finite.

    `waveforms` are the sources, then what belongs to the mixture alone; None is silence. The sum is
    written to `mixture`, the sources to `sources` `(samples, channels, sources)`.
    """
    *shape, count = sources.shape
    parts = [
        (index, *part)
        for index, part in enumerate(zip(waveforms, gains, swaps, strict=True))
        if part[0] is not None
    ]
    for index in range(count):
        if waveforms[index] is None:
            sources[..., index] = 0
    if not parts:
        mixture[:] = 0
        return True
    size = max(1, _BLOCK // math.prod(shape[1:-1]))
    scratch, totals = np.empty((2, min(size, shape[0]), *shape[1:]), mixture.dtype)
    # Spectra lie between those of the sources, where sums take twice as long.
    in_place = mixture.flags.c_contiguous
    finite = True
    # In blocks that stay in the processor's cache.
    for first in range(0, shape[0], size):
        block = slice(first, min(first + size, shape[0]))
        total = mixture[block] if in_place else totals[: block.stop - first]
        for number, (index, waveform, gain, swap) in enumerate(parts):
            part = scratch[: len(total)] if number else total
            _scale(waveform[block], np.float32(gain), swap, part)
            if number:
                total += part
            if index < count:
                sources[block][..., index] = part
        if not in_place:
            mixture[block] = total
        finite = finite and bool(np.isfinite(total).all())
    return finite


def _rms(waveform):
    # An eighth of the time that squares and their mean take: words are joined by the dozen.
    power = np.vdot(waveform, waveform).real
    return math.sqrt(power / waveform.size) if waveform.size else 0.0


def _scale(waveform, gain, swap, out):
    if swap and out.shape[-1] == 2:
        # Column by column: NumPy is slow on the reversed view of an axis this short.
        np.multiply(waveform[..., 1], gain, out=out[..., 0])
        np.multiply(waveform[..., 0], gain, out=out[..., 1])
    else:
        np.multiply(waveform, gain, out=out)
