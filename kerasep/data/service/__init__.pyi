from . import (
    client,
    servers,
)
from .client import batches
from .servers import serving

__all__ = [
    "batches",
    "client",
    "servers",
    "serving",
]
