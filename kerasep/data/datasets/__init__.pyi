from . import (
    checking,
    pools,
    problems,
    tracks,
)
from .checking import check
from .pools import Pool, find_pool
from .tracks import Track, find_tracks

__all__ = [
    "Pool",
    "Track",
    "check",
    "checking",
    "find_pool",
    "find_tracks",
    "pools",
    "problems",
    "tracks",
]
