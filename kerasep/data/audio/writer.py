"""Write audio files, completely or not at all."""

import contextlib
import os
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from kerasep.data.audio.audio_info import AudioInfo, native
from kerasep.data.audio.encoders import FFmpegEncoder, SoundFileEncoder
from kerasep.data.audio.encodings import check_suffix as check_suffix
from kerasep.data.audio.encodings import encoded_info, encoding_of
from kerasep.data.audio.samples import scaled
from kerasep.data.audio.tags import Tags, write_tags
from kerasep.errors import InputError
from kerasep.files.atomic import temporary_beside
from kerasep.system import logs

log = logs.logger(__name__)


class Writer:
    """Write an audio file in blocks, as a context manager: it appears once complete.

    The suffix decides the format, as for `write`. A WAV that passes 4 GiB becomes an RF64 file; if
    `samples` says in advance how many there will be, it is one from the start. `tags` are written
    into the file.
    """

    def __init__(
        self, path, sample_rate, channels, overwrite=False, samples=None, bits=None, tags=None
    ):
        self.path = path = Path(path)
        self.encoding, self.bits = encoding_of(path, bits)
        if not path.parent.is_dir():
            raise InputError(f"cannot write {path}: folder {path.parent} is missing: create it")
        if path.exists() and not overwrite:
            raise InputError(f"{path} exists: remove it, or ask to overwrite")
        if path.is_dir():
            raise InputError(f"cannot write {path}: it is a folder")
        most = self.encoding.channels
        if most is not None and channels > most:
            raise InputError(
                f"cannot write {path}: received {channels} channels, expected at most {most} in "
                f"this format: use .wav or .flac"
            )
        self.sample_rate, self.channels, self.samples = sample_rate, channels, 0
        self.total, self.tags = samples, tags or Tags({})
        self.clipped, self.peak = 0, 0.0

    def __enter__(self):
        with contextlib.ExitStack() as stack, self._readable_errors():
            self.temporary = stack.enter_context(temporary_beside(self.path))
            self.encoder = self._encoder()
            self._cleanup = stack.pop_all()
        return self

    def _encoder(self):
        info = AudioInfo(self.sample_rate, self.total or 0, self.channels)
        rate, total, channels = encoded_info(info, self.path.suffix)
        same = rate == self.sample_rate
        self.resampler = (
            None if same else soxr.ResampleStream(self.sample_rate, rate, channels, "float32")
        )
        self.encoded = 0
        if self.encoding.codec:
            return FFmpegEncoder(self.temporary, self.encoding, rate, channels)
        return SoundFileEncoder(
            self.temporary, self.encoding, self.bits, rate, channels, total or None
        )

    def write(self, block):
        """Append a block `(n, channels)` of floats, int8, uint8, int16 or int32."""
        block = _scaled(self.path, block)
        if block.ndim != 2 or block.shape[1] != self.channels:
            raise InputError(
                f"cannot write {self.path}: received an array of shape {block.shape}, expected "
                f"(samples, {self.channels})"
            )
        if not np.isfinite(block).all():
            raise InputError(f"cannot write {self.path}: there are NaN or infinite samples")
        self.samples += len(block)
        if self.bits != "32f":
            block = self._limited(block)
        if self.resampler:
            block = self.resampler.resample_chunk(np.ascontiguousarray(block))
        self._encode(block)

    def _encode(self, block):
        self.encoded += len(block)
        with self._readable_errors():
            self.encoder.write(block)

    def _limited(self, block):
        """Return a block with its samples beyond full scale at full scale, and count them."""
        peak = float(np.abs(block).max(initial=0))
        if peak <= 1:
            return block
        self.peak = max(self.peak, peak)
        self.clipped += int(np.count_nonzero(np.abs(block) > 1))
        return np.clip(block, -1, 1)

    def complete(self):
        """Close the file and check its length; leaving the context moves it in place."""
        if self.resampler:
            rest = np.zeros((0, self.channels), "float32")
            rest = self.resampler.resample_chunk(rest, last=True)
            info = AudioInfo(self.sample_rate, self.samples, self.channels)
            missing = encoded_info(info, self.path.suffix).samples - self.encoded
            padding = max(0, missing - len(rest))
            self._encode(np.pad(rest[:missing], ((0, padding), (0, 0))))
            self.resampler = None
        with self._readable_errors():
            self.encoder.close()
            # A disk that fills up while the last samples are flushed raises no error.
            is_checked = self.encoding.codec is None and self.samples
            if is_checked and soundfile.info(native(self.temporary)).frames != self.samples:
                raise AssertionError("the file came out short")
        write_tags(self.temporary, self.tags)
        if self.clipped:
            log.warning(
                "%s: %d samples beyond full scale are clipped (the peak is at %+.1f dBFS): use "
                "32-bit float WAV, or normalize",
                self.path,
                self.clipped,
                20 * np.log10(self.peak),
            )
            self.clipped = 0

    def __exit__(self, kind, error, traceback):
        with self._cleanup:
            try:
                if kind is None:
                    self.complete()
            finally:
                with contextlib.suppress(OSError, soundfile.LibsndfileError, InputError):
                    self.encoder.close()
            if kind is None:
                os.replace(self.temporary, self.path)

    @contextlib.contextmanager
    def _readable_errors(self):
        try:
            yield
        except InputError:
            raise
        except (soundfile.LibsndfileError, AssertionError, OSError, ValueError) as error:
            # a short write asserts, and FFmpeg's errors are OSError or ValueError
            reason = (
                getattr(error, "error_string", None)
                or getattr(error, "strerror", None)
                or str(error)
                or "short write"
            )
            free = shutil.disk_usage(self.path.parent).free >> 20
            raise InputError(
                f"cannot write {self.path}: {reason.rstrip('.')} ({free} MiB free on the disk)"
            ) from error


def write(
    path: str | os.PathLike,
    waveform: npt.ArrayLike,
    sample_rate: int,
    overwrite: bool = False,
    bits: str | int | None = None,
) -> None:
    """Write a waveform `(samples, channels)` as an audio file.

    Args:
        path: The file. Its suffix decides the format: `.wav`, `.flac`, `.ogg` (Vorbis), `.mp3`,
            `.m4a` (AAC) or `.opus`. A WAV beyond 4 GiB becomes RF64. OGG, MP3, M4A and Opus take
            one or two channels. Rates that the last three do not have are resampled to the next one
            up or to the highest; Opus always has 48000 Hz. Read again, the samples are in place and
            as many.
        waveform: Array `(samples, channels)` of floats with full scale ±1, or of int8, uint8,
            int16 or int32, which are scaled to it. All formats but 32-bit float WAV clip samples
            beyond full scale, with a line in the log.
        sample_rate: In Hz.
        overwrite: Whether an existing file may be replaced. Defaults to False.
        bits: Per sample: 16, 24 or "32f" (float, WAV only). Only for `.wav` and `.flac`.
            Defaults to "32f" for WAV and "24" for FLAC.

    Raises:
        InputError: The suffix or the bits are unknown, the folder is missing, the file exists, the
            disk is full, there are NaN or infinite samples or integers of another type, or the
            format cannot hold the waveform.

    Example:
    ```python
    import numpy as np
    import kerasep

    noise = np.random.default_rng(0).uniform(-1, 1, (8000, 2)).astype("float32")
    kerasep.data.write("noise.wav", noise, 16000, overwrite=True)
    assert (kerasep.data.read("noise.wav")[0] == noise).all()
    ```
    """
    samples = _scaled(path, waveform)
    if samples.ndim != 2:
        raise InputError(
            f"cannot write {path}: received an array of shape {samples.shape}, expected "
            "(samples, channels)"
        )
    length, channels = samples.shape
    with Writer(path, sample_rate, channels, overwrite, length, bits) as writer:
        writer.write(samples)


def _scaled(path, samples):
    try:
        return scaled(samples)
    except InputError as error:
        raise InputError(f"cannot write {path}: {error}") from error
