from . import (
    archives,
    chunks,
    polarity,
    recordings,
)
from .recordings import as_chunk_separator, separate, separate_file
from .separator import Separator, as_separator, chunk_separator, pad_to_frames

__all__ = [
    "Separator",
    "archives",
    "as_chunk_separator",
    "as_separator",
    "chunk_separator",
    "chunks",
    "pad_to_frames",
    "polarity",
    "recordings",
    "separate",
    "separate_file",
]
