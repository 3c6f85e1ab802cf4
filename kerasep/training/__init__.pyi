from . import (
    devices,
    recipes,
    waveform_training,
)
from .fit import check_settings, split, train

__all__ = [
    "check_settings",
    "devices",
    "recipes",
    "split",
    "train",
    "waveform_training",
]
