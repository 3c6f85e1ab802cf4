from . import (
    audio,
    datasets,
    pipelines,
    prepared,
    sampling,
    service,
    synthetic,
)
from .audio import info, read, stream, write
from .datasets import Pool, Track, check, checking, find_pool, find_tracks, pools, problems, tracks
from .pipelines import spectrograms, waveforms
from .prepared import preparation, prepare, shards
from .sampling import augmentation
from .service import serving
from .synthetic import song, write_songs

__all__ = [
    "Pool",
    "Track",
    "audio",
    "augmentation",
    "check",
    "checking",
    "datasets",
    "find_pool",
    "find_tracks",
    "info",
    "pipelines",
    "pools",
    "preparation",
    "prepare",
    "prepared",
    "problems",
    "read",
    "sampling",
    "service",
    "serving",
    "shards",
    "song",
    "spectrograms",
    "stream",
    "synthetic",
    "tracks",
    "waveforms",
    "write",
    "write_songs",
]
