from .audio_info import AudioInfo
from .reading import SUFFIXES, decode, info, read, read_decoded, resample, stream
from .writer import Writer, write

__all__ = [
    "SUFFIXES",
    "AudioInfo",
    "Writer",
    "decode",
    "info",
    "read",
    "read_decoded",
    "resample",
    "stream",
    "write",
]
