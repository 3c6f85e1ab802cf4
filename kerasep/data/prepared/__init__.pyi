from . import (
    preparation,
    shards,
)
from .index import (
    holds_spectrograms,
    holds_validation,
    is_prepared,
    read_index,
    statistics,
)
from .preparation import prepare

__all__ = [
    "holds_spectrograms",
    "holds_validation",
    "is_prepared",
    "preparation",
    "prepare",
    "read_index",
    "shards",
    "statistics",
]
