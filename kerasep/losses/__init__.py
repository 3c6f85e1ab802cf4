"""Keras losses; each returns one value an example, `(batch,)`."""

from kerasep.losses.ratios import SDSDR, SISDR, SISNR, SNR
from kerasep.losses.spectrogram import MagnitudeSpectrum, PhaseSensitive, TruncatedPhaseSensitive
from kerasep.losses.waveform import Waveform

__all__ = [
    "SDSDR",
    "SISDR",
    "SISNR",
    "SNR",
    "MagnitudeSpectrum",
    "PhaseSensitive",
    "TruncatedPhaseSensitive",
    "Waveform",
]
