from . import (
    asteroid,
    demucs,
    nussl,
    open_unmix,
    spleeter,
    tf_checkpoint,
    torch_file,
    weight_map,
    x_umx,
)
from .projects import load

__all__ = [
    "asteroid",
    "demucs",
    "load",
    "nussl",
    "open_unmix",
    "spleeter",
    "tf_checkpoint",
    "torch_file",
    "weight_map",
    "x_umx",
]
