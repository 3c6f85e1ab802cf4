from . import (
    devices,
    recipes,
    waveform_training,
)
from .fit import train
from .recipes import check_settings
from .splits import split

__all__ = [
    "check_settings",
    "devices",
    "recipes",
    "split",
    "train",
    "waveform_training",
]
