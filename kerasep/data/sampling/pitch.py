"""Crops whose pitch and tempo change together: only what is around them is resampled."""

import fractions
import math

import numpy as np
import soxr

_LARGEST = 100  # denominator: within an octave, off by at most a fiftieth of a semitone
_MARGIN = 256  # samples before and after a crop that its resampled ends depend on


def rate_of(sample_rate, semitones):
    """Return the rate that, taken for a sample rate, raises the pitch by semitones."""
    ratio = fractions.Fraction(2 ** (abs(semitones) / 12)).limit_denominator(_LARGEST)
    return sample_rate / ratio if semitones > 0 else sample_rate * ratio


def read_shifted(files, stem, rate, start, out, check=False):
    """Fill an array as `files.read` does, at a rate of `rate_of`."""
    own = stem.info.sample_rate
    ratio = (fractions.Fraction(rate) / own).limit_denominator(own)
    first = round(start * own * ratio)
    # Samples of the file and rows of the crop coincide there, so stems stay aligned.
    step = ratio.denominator
    begin = max(0, math.floor((first / ratio - _MARGIN) / step) * step)
    end = math.ceil((first + len(out)) / ratio) + _MARGIN
    samples = np.empty((end - begin, *out.shape[1:]), "float32")
    files.read(stem, own, begin / own, samples, check)
    resampled = soxr.resample(samples, step, ratio.numerator)
    out[:] = resampled[first - int(begin * ratio) :][: len(out)]
