"""Decoders: one audio file, open in libsndfile or in PyAV, giving blocks of samples.

Both have `info`, `blocks(start, samples, size)` and `close()`; `kerasep.data.audio` is the way in.
"""

import contextlib
import math
import os
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from kerasep.errors import InputError

# Demuxers that read one file only: playlists (HLS, concat) would open other files and addresses.
_DEMUXERS = "mov,matroska,webm,aac,ogg,mp3,flac,wav,aiff,asf,avi,mpegts,ape,wv,caf,amr,ac3"
_CAN_HOLD_NAN = ("FLOAT", "DOUBLE")
_SHORTFALL = re.compile(r"^\s*(?:data|SSND|Data Size)\s*: (\d+) \(should be (\d+)\)", re.MULTILINE)
_STREAMED_SIZE = 0x7FFFF000  # sox and ffmpeg write sizes from here up when the length is unknown
_UNKNOWN_LENGTH = 1 << 48  # libsndfile's count for a FLAC file without one is beyond this
_CODEC_FRAME = 2048
_PIECE = 1 << 15


class AudioInfo(NamedTuple):
    """What an audio file holds: sample rate in Hz, samples (per channel), channels."""

    sample_rate: int
    samples: int
    channels: int

    @property
    def seconds(self):
        """Duration in seconds."""
        return self.samples / self.sample_rate


def as_float(block, gain=1.0):
    """Convert a decoded block to float32 with full scale ±1, times a gain."""
    if block.dtype == np.int16:
        gain /= 32768
    return block if gain == 1 else block * np.float32(gain)


class SoundFile:
    """One file open in libsndfile."""

    def __init__(self, path):
        self.path = path
        self.file = soundfile.SoundFile(path)
        self.info = AudioInfo(self.file.samplerate, self.file.frames, self.file.channels)
        shortfall = _SHORTFALL.search(self.file.extra_info)
        if shortfall and int(shortfall[1]) < _STREAMED_SIZE:
            declared, present = map(int, shortfall.groups())
            if present < declared:
                self.close()
                raise InputError(
                    f"{path} is truncated: its header says {declared} bytes of audio, the file "
                    f"has {present}: get a complete copy"
                )

    def blocks(self, start, samples, size):
        """Yield decoded blocks of at most `size` samples, `samples` in all unless cut short.

        16-bit files give int16, the rest float32: see `as_float`.
        """
        # NumPy converts 16-bit samples faster than libsndfile, or together with a gain for nothing.
        dtype = "int16" if self.file.subtype == "PCM_16" else "float32"
        try:
            self.file.seek(start)
            while samples > 0:
                block = self.file.read(min(size, samples), dtype, always_2d=True)
                if not len(block):
                    return
                if self.file.subtype in _CAN_HOLD_NAN and not np.isfinite(block).all():
                    raise InputError(f"{self.path} has NaN or infinite samples: repair the file")
                samples -= len(block)
                yield block
        except soundfile.LibsndfileError as error:
            raise _damaged(self.path, error.error_string) from error

    def read_into(self, start, out):
        """Fill a float32 array `(samples, channels)` from sample `start` on, unchecked for NaN."""
        done = 0
        try:
            self.file.seek(start)
            if self.file.subtype == "PCM_16":
                raw = np.empty((min(len(out), _PIECE), self.info.channels), "int16")
                while done < len(out):
                    piece = self.file.read(out=raw[: len(out) - done])
                    if not len(piece):
                        break
                    np.multiply(piece, np.float32(1 / 32768), out=out[done : done + len(piece)])
                    done += len(piece)
            else:
                done = len(self.file.read(out=out))
        except soundfile.LibsndfileError as error:
            raise _damaged(self.path, error.error_string) from error
        if done < len(out):
            raise stops_early(self.path, self.info.samples, start + done)

    def close(self):
        """Close the file."""
        self.file.close()


class Container:
    """One audio stream of a file open in PyAV."""

    def __init__(self, path, index):
        # Imported here: WAV and FLAC need no PyAV, which takes longer to load than to read them.
        import av

        self.path, self.av = path, av
        try:
            self.file = av.open(os.fspath(path), options={"format_whitelist": _DEMUXERS})
        except (av.FFmpegError, ValueError) as error:
            raise _not_audio(path) from error
        streams = self.file.streams.audio
        if index >= len(streams):
            self.close()
            raise InputError(f"{path} has {len(streams)} audio streams: there is no stream {index}")
        self.stream = streams[index]
        if not getattr(self.stream, "rate", None):
            self.close()
            raise _not_audio(path)
        rate, duration = self.stream.rate, self.stream.duration
        # Without an index (WebM, raw AAC) durations are guesses and time stamps too coarse to
        # place a sample, so such a file is decoded from its start and its samples are counted.
        self.indexed = bool(self.stream.frames and duration and self.stream.time_base * rate <= 1)
        if self.indexed:
            samples = round(duration * self.stream.time_base * rate)
        else:
            self.info = AudioInfo(rate, 1 << 62, self.stream.channels)
            samples = sum(len(block) for _, block in self._frames(0))
        self.info = AudioInfo(rate, samples, self.stream.channels)

    def _frames(self, start):
        """Yield (position, decoded block), from at or a little before `start` on."""
        rate, base = self.info.sample_rate, self.stream.time_base
        origin = self.stream.start_time or 0
        # The first frame after a seek lacks its overlap. (AAC's noise substitution, where a file
        # has it, is random: it alone differs from what decoding from the start gives.)
        early = max(0, start - 2 * _CODEC_FRAME) if self.indexed else 0
        resampler = self.av.AudioResampler(format="flt", layout=self.stream.layout, rate=rate)
        try:
            self.file.seek(origin + math.floor(early / rate / base), stream=self.stream)
            position = 0
            for frame in self.file.decode(self.stream):
                if self.indexed:
                    position = round((frame.pts - origin) * base * rate)
                for converted in resampler.resample(frame):
                    block = converted.to_ndarray().reshape(-1, self.info.channels)
                    yield position, block
                    position += len(block)
        except self.av.FFmpegError as error:
            raise _damaged(self.path, error.strerror) from error

    def blocks(self, start, samples, size):
        """Yield decoded blocks as the codec gives them, `samples` in all unless cut short."""
        done, stop = start, min(start + samples, self.info.samples)
        for position, block in self._frames(start):
            block = block[max(0, done - position) : max(0, stop - position)]
            if len(block):
                if not np.isfinite(block).all():
                    raise InputError(f"{self.path} has NaN or infinite samples: repair the file")
                done += len(block)
                yield block
            if done >= stop:
                return
        # Durations in MP4 are rounded: a codec frame may be missing at the end, no more.
        if 0 < stop - done <= _CODEC_FRAME:
            yield np.zeros((stop - done, self.info.channels), "float32")

    def read_into(self, start, out):
        """Fill a float32 array `(samples, channels)` from sample `start` on."""
        done = 0
        for block in self.blocks(start, len(out), len(out)):
            out[done : done + len(block)] = block
            done += len(block)
        if done < len(out):
            raise stops_early(self.path, self.info.samples, start + done)

    def close(self):
        """Close the file."""
        self.file.close()


def _not_audio(path):
    return InputError(
        f"{path} is not audio that can be read: expected WAV, FLAC, OGG, MP3, AIFF, M4A, MP4 or "
        "WebM: convert it"
    )


def _damaged(path, reason):
    return InputError(f"{path} is damaged: {reason or 'decoding failed'}: get a complete copy")


def stops_early(path, expected, samples):
    """Give the error for a file that ends before its header says."""
    return InputError(
        f"{path} is truncated: its header says {expected} samples, decoding stops after {samples}: "
        "get a complete copy"
    )


def open_audio(path, stream=0):
    """Open an audio file as a context manager; raise InputError where it cannot be used."""
    return contextlib.closing(open_decoder(path, stream))


def open_decoder(path, stream=0):
    """Open an audio file, to be closed by the caller; raise InputError where it cannot be used."""
    path = Path(path)
    if not path.is_file():
        kind = "a folder, not a file" if path.is_dir() else "missing"
        raise InputError(f"{path} is {kind}: expected an audio file, check the path")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path} may not be read: give yourself permission")
    if not path.stat().st_size:
        raise InputError(f"{path} is empty: expected an audio file, get a complete copy")
    audio = None
    if stream == 0:
        # TypeError is what soundfile raises for a name that ends in .raw.
        with contextlib.suppress(soundfile.LibsndfileError, TypeError):
            audio = SoundFile(path)
    if audio is None or audio.info.samples > _UNKNOWN_LENGTH:
        audio = Container(path, stream)
    if not audio.info.samples:
        audio.close()
        raise InputError(f"{path} holds no samples: remove it or get a complete copy")
    return audio
