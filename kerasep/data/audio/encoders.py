"""Encoders of blocks of samples: libsndfile for plain samples, FLAC and Vorbis, FFmpeg for others.

An encoder has `write(block)` of float32 samples `(n, channels)` and `close()`.
"""

import os

import numpy as np
import soundfile

from kerasep.data.audio import mp3_tag
from kerasep.data.audio.audio_info import native
from kerasep.errors import installed_by
from kerasep.files.atomic import temporary_beside

_PIECE = 1 << 16
_WAV_BYTES = (1 << 32) - (1 << 16)  # WAV counts bytes in 32 bits


class SoundFileEncoder:
    """Writes WAV, FLAC and Ogg Vorbis. A WAV that passes 4 GiB becomes an RF64 file."""

    def __init__(self, path, encoding, bits, sample_rate, channels, samples=None):
        self.path, self.bits = path, bits
        self.sample_rate, self.channels, self.samples = sample_rate, channels, 0
        self.format, self.subtype = encoding.name, encoding.depths[bits]
        self.is_integer = bits.isdigit()
        if samples is not None and self._passes_4_gib(samples):
            self.format = "RF64"
        self.file = self._open(path)

    def _open(self, path):
        return soundfile.SoundFile(
            native(path), "w", self.sample_rate, self.channels, self.subtype, format=self.format
        )

    def write(self, block):
        """Append a block; integer formats get the nearest integers."""
        self.samples += len(block)
        if self._passes_4_gib(self.samples):
            self._become_rf64()
        for first in range(0, len(block), _PIECE):  # Vorbis in one call overflows its stack
            piece = block[first : first + _PIECE]
            self.file.write(self._integers(piece) if self.is_integer else piece)

    def close(self):
        """Close the file."""
        self.file.close()

    def _integers(self, piece):
        # libsndfile would round down.
        full_scale = 1 << (int(self.bits) - 1)
        rounded = np.rint(piece.astype("float64") * full_scale)
        limited = np.clip(rounded, -full_scale, full_scale - 1).astype("int32")
        return limited << (32 - int(self.bits))

    def _passes_4_gib(self, samples):
        size = int(self.bits[:2] or 0) // 8
        return self.format == "WAV" and samples * self.channels * size > _WAV_BYTES

    def _become_rf64(self):
        """Copy the file so far into one whose header has room for longer counts."""
        self.file.close()
        self.format = "RF64"
        dtype = "int32" if self.is_integer else "float32"
        with temporary_beside(self.path) as copy:
            with soundfile.SoundFile(native(self.path)) as written:
                self.file = self._open(copy)
                for block in written.blocks(_PIECE, dtype=dtype, always_2d=True):
                    self.file.write(block)
            os.replace(copy, self.path)


class FFmpegEncoder:
    """Writes MP3, M4A (AAC) and Opus through PyAV.

    The files tell players how many samples the codec adds in front and at the end.
    """

    def __init__(self, path, encoding, sample_rate, channels):
        with installed_by():
            import av  # takes longer to load than a WAV file to write

        self.av, self.path, self.position, self.channels = av, path, 0, channels
        # An M4A file counts its length in milliseconds otherwise.
        options = {"movie_timescale": str(sample_rate)} if encoding.name == "ipod" else {}
        self.file = av.open(os.fspath(path), "w", format=encoding.name, options=options)
        self.stream = self.file.add_stream(encoding.codec, rate=sample_rate)
        codec = self.stream.codec_context
        codec.layout = self.layout = "mono" if channels == 1 else "stereo"
        codec.format = self.sample_format = "flt" if encoding.codec == "libopus" else "fltp"
        if encoding.bit_rate:
            codec.bit_rate = encoding.bit_rate * channels
        else:  # the best variable bit rate: LAME makes the sound softer at others
            codec.flags |= av.codec.context.Flags.qscale
            codec.global_quality = 0
        self.is_mp3, self.sample_rate = encoding.name == "mp3", sample_rate

    def write(self, block):
        """Append a block."""
        if not len(block):
            return
        planar = self.sample_format == "fltp"
        array = np.ascontiguousarray(block.T if planar else block.reshape(1, -1), "float32")
        frame = self.av.AudioFrame.from_ndarray(array, self.sample_format, self.layout)
        frame.sample_rate, frame.pts = self.sample_rate, self.position
        self.position += len(block)
        self.file.mux(self.stream.encode(frame))

    def close(self):
        """Encode the rest, and close the file."""
        if self.file is None:
            return
        samples, frame_size = self.position, self.stream.codec_context.frame_size
        try:
            if self.is_mp3:
                self.write(np.zeros((mp3_tag.SPARE, self.channels), "float32"))
            self.file.mux(self.stream.encode(None))
        finally:
            file, self.file = self.file, None
            file.close()
        if self.is_mp3:
            mp3_tag.write_padding(self.path, samples, frame_size)
