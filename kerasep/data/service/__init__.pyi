from . import (
    client,
    servers,
)
from .client import batches, log
from .servers import serving

__all__ = [
    "batches",
    "client",
    "log",
    "servers",
    "serving",
]
