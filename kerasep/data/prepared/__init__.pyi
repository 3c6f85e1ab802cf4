from . import (
    preparation,
    shards,
    tfio,
)
from .dataset import (
    batches,
    holds_spectrograms,
    holds_validation,
    is_prepared,
    read_index,
    statistics,
)
from .preparation import prepare

__all__ = [
    "batches",
    "holds_spectrograms",
    "holds_validation",
    "is_prepared",
    "preparation",
    "prepare",
    "read_index",
    "shards",
    "statistics",
    "tfio",
]
