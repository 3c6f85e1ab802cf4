"""Augmentation: plain functions of a waveform and random numbers, one idea per file.

Each is `f(waveform, rng, ...)` on a float32 array `(samples, channels)`, draws what it needs from a
NumPy generator, and returns a new array: the same generator state gives the same samples. All but
`change_tempo` keep the length. `mask_spectrum` alone works on spectrograms.
"""

from kerasep.data.sampling.augmentation.bands import limit_band
from kerasep.data.sampling.augmentation.coding import code
from kerasep.data.sampling.augmentation.distortion import distort
from kerasep.data.sampling.augmentation.equalizer import equalize
from kerasep.data.sampling.augmentation.levels import change_gain, flip_polarity, swap_channels
from kerasep.data.sampling.augmentation.noise import add_noise
from kerasep.data.sampling.augmentation.reverberation import reverberate
from kerasep.data.sampling.augmentation.spectrum_masks import mask_spectrum
from kerasep.data.sampling.augmentation.timing import change_pitch, change_tempo, shift_time

__all__ = [
    "add_noise",
    "change_gain",
    "change_pitch",
    "change_tempo",
    "code",
    "distort",
    "equalize",
    "flip_polarity",
    "limit_band",
    "mask_spectrum",
    "reverberate",
    "shift_time",
    "swap_channels",
]
