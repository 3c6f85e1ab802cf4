from . import (
    songs,
)
from .songs import song, write_songs

__all__ = [
    "song",
    "songs",
    "write_songs",
]
