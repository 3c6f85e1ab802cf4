"""Audio files that libsndfile decodes exactly: PCM in WAV, AIFF, CAF and the like, and FLAC."""

import math
import struct

import numpy as np
import soundfile

from kerasep.data.audio.audio_info import AudioInfo, damaged, native, not_finite, stops_early

_CAN_HOLD_NAN = ("FLOAT", "DOUBLE")
# Others (ADPCM, GSM, ALAC ...) come in blocks whose padding libsndfile counts as samples.
_EXACT = ("PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", *_CAN_HOLD_NAN, "ULAW", "ALAW")
_UNKNOWN_LENGTH = 1 << 48  # libsndfile counts more in a FLAC file without a length
_PIECE = 1 << 15


class SoundFile:
    """A decoder of one file, through libsndfile."""

    def __init__(self, path):
        self.path = path
        self.file = soundfile.SoundFile(native(path))
        self.info = AudioInfo(self.file.samplerate, self.file.frames, self.file.channels)

    def is_exact(self):
        """Return whether libsndfile finds each sample, and knows how many there are."""
        return self.file.subtype in _EXACT and 0 < self.info.samples < _UNKNOWN_LENGTH

    def blocks(self, start, samples, size):
        """Yield `samples` in blocks of at most `size`: int16 of 16-bit files, else float32."""
        # NumPy converts 16-bit samples faster than libsndfile.
        dtype = "int16" if self.file.subtype == "PCM_16" else "float32"
        try:
            self.file.seek(start)
            while samples > 0:
                block = self.file.read(min(size, samples), dtype, always_2d=True)
                if not len(block):
                    return
                if self.file.subtype in _CAN_HOLD_NAN and not np.isfinite(block).all():
                    raise not_finite(self.path)
                samples -= len(block)
                yield block
        except soundfile.LibsndfileError as error:
            raise damaged(self.path, error.error_string) from error

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
            raise damaged(self.path, error.error_string) from error
        if done < len(out):
            raise stops_early(self.path, self.info.samples, start + done)

    def close(self):
        """Close the file."""
        self.file.close()


def flac_may_go_on(path):
    """Return whether a FLAC file (joined, or of an interrupted writer) may exceed its header."""
    size = path.stat().st_size
    with open(path, "rb", buffering=0) as raw:
        if _audio_bytes(raw, size) > _most_audio_bytes(raw):
            return True
        raw.seek(0)
        with soundfile.SoundFile(raw.fileno(), closefd=False) as file:
            try:
                file.seek(file.frames - 1)
                file.read(1)
            except soundfile.LibsndfileError:
                return False  # truncated: reading reports it
        return raw.tell() < size  # libsndfile reads through the same descriptor


def _most_audio_bytes(raw):
    """Return the most bytes that the frames of a FLAC file can take, by its header."""
    raw.seek(8)
    fields = raw.read(18)
    longest_block, longest_frame = struct.unpack(">2xH3x3s8x", fields)
    total = int.from_bytes(fields[10:18], "big") & ((1 << 36) - 1)
    longest_frame = int.from_bytes(longest_frame, "big")
    if not longest_frame or not longest_block:
        return math.inf
    return -(-total // longest_block) * longest_frame


def _audio_bytes(raw, size):
    """Return the number of bytes after the metadata of a FLAC file."""
    position, is_last = 4, False
    while not is_last:
        raw.seek(position)
        head = raw.read(4)
        if len(head) < 4:
            return 0
        is_last = bool(head[0] & 0x80)
        position += 4 + int.from_bytes(head[1:], "big")
    return size - position
