from .step import StreamingStep
from .streamer import Streamer

__all__ = [
    "Streamer",
    "StreamingStep",
]
