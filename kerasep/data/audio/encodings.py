"""The formats in which audio files are written."""

import os
from pathlib import Path
from typing import NamedTuple

from kerasep.data.audio.audio_info import AudioInfo
from kerasep.errors import InputError

_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)


class Encoding(NamedTuple):
    """How samples are stored in a file."""

    name: str  # libsndfile's name of the format, or FFmpeg's of the container
    # From bits per sample to libsndfile's subtype, the default first; empty for other formats.
    depths: dict[str, str] = {}  # noqa: RUF012 (never changed)
    codec: str | None = None  # FFmpeg's encoder, or None if libsndfile writes the format
    rates: tuple[int, ...] = ()  # in Hz, ascending; empty for any
    channels: int | None = None  # the most; None for no limit but libsndfile's
    bit_rate: int = 0  # per second and channel; 0 for the best variable bit rate


ENCODINGS = {
    ".wav": Encoding("WAV", {"32f": "FLOAT", "16": "PCM_16", "24": "PCM_24"}),
    ".flac": Encoding("FLAC", {"24": "PCM_24", "16": "PCM_16"}),
    ".ogg": Encoding("OGG", {"": "VORBIS"}, channels=2),
    ".mp3": Encoding("mp3", codec="libmp3lame", rates=_MP3_RATES, channels=2),
    ".m4a": Encoding(
        "ipod",
        codec="aac",
        rates=(7350, *_MP3_RATES, 64000, 88200, 96000),
        channels=2,
        bit_rate=128_000,
    ),
    ".opus": Encoding("opus", codec="libopus", rates=(48000,), channels=2, bit_rate=96_000),
}


def encoding_of(path: str | os.PathLike, bits: str | int | None = None) -> tuple[Encoding, str]:
    """Return the encoding of a file's suffix, and the bits per sample ("" if it has none)."""
    suffix = Path(path).suffix
    encoding = ENCODINGS.get(suffix.lower())
    if encoding is None:
        raise InputError(
            f"cannot write {path}: received suffix {suffix!r}, expected one of "
            f"{', '.join(ENCODINGS)}"
        )
    if bits is None:
        return encoding, next(iter(encoding.depths), "")
    bits = str(bits)
    if bits not in encoding.depths or not bits:
        choices = ", ".join(filter(None, encoding.depths))
        expected = f"one of {choices}" if choices else "no bits for this format: leave them out"
        raise InputError(f"cannot write {path}: received {bits} bits, expected {expected}")
    return encoding, bits


def check_suffix(path: str | os.PathLike) -> None:
    """Raise `InputError` for a file with an unknown suffix."""
    encoding_of(path)


def encoded_info(info: AudioInfo, suffix: str) -> AudioInfo:
    """Return rate, length and channels of a recording once it is written in a format."""
    rate = encoded_rate(info.sample_rate, suffix)
    samples = max(1, round(info.samples * rate / info.sample_rate)) if info.samples else 0
    return AudioInfo(rate, samples, info.channels)


def encoded_rate(sample_rate: int, suffix: str) -> int:
    """Return the rate that a format takes: the next one up, or else its highest."""
    rates = ENCODINGS[suffix.lower()].rates
    if not rates:
        return sample_rate
    return next((rate for rate in rates if rate >= sample_rate), rates[-1])
