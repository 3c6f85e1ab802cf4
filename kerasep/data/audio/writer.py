"""Write audio files so that nothing half written is ever left behind."""

import os
import shutil
from pathlib import Path

import numpy as np
import soundfile

from kerasep.data.audio.audio_info import native
from kerasep.data.audio.samples import scaled
from kerasep.errors import InputError
from kerasep.system import logs

_FORMATS = {".wav": ("WAV", "FLOAT"), ".flac": ("FLAC", "PCM_24"), ".ogg": ("OGG", "VORBIS")}
_PIECE = 1 << 16
_WAV_BYTES = (1 << 32) - (1 << 16)  # a header counts the bytes in 32 bits: RF64 is for more

log = logs.logger(__name__)


class Writer:
    """Write an audio file block by block; it appears under its name only once complete.

    Used as a context manager. Blocks go to a temporary file beside the target, which is moved in
    place at the end, or removed if anything at all (a full disk, Ctrl-C) goes wrong.
    The suffix decides the format: `.wav` (32-bit float), `.flac` (24 bit), `.ogg` (Vorbis). A WAV
    that passes 4 GiB becomes an RF64 file, which has the same layout and longer counts.

    Args:
        path: The file to write.
        sample_rate: In Hz.
        channels: How many channels the blocks have.
        overwrite: Whether an existing file may be replaced. Defaults to False.
        samples: How many there will be, where that is known: a WAV of more than 4 GiB is then
            RF64 from the start, and need not be copied into one on the way. Defaults to None.

    Raises:
        InputError: The suffix is unknown, the folder is missing, the file exists, the disk is
            full, the blocks have NaN or infinite samples or integers of unknown full scale, or
            the format cannot hold them.

    Example:
    ```python
    import numpy as np
    from kerasep.data import audio

    with audio.Writer("long.flac", 16000, channels=1, overwrite=True) as writer:
        for _ in range(3):
            writer.write(np.zeros((4000, 1), "float32"))
    assert audio.info("long.flac").samples == 12000
    ```
    """

    def __init__(self, path, sample_rate, channels, overwrite=False, samples=None):
        self.path = path = Path(path)
        check_suffix(path)
        if not path.parent.is_dir():
            raise InputError(f"cannot write {path}: folder {path.parent} is missing: create it")
        if path.exists() and not overwrite:
            raise InputError(f"{path} exists: remove it, or ask to overwrite")
        if path.is_dir():
            raise InputError(f"cannot write {path}: it is a folder")
        self.sample_rate, self.channels, self.samples = sample_rate, channels, 0
        self.format, self.subtype = _FORMATS[path.suffix.lower()]
        if samples is not None and self._passes_4_gib(samples):
            self.format = "RF64"
        self.clipped = False
        self.temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")

    def __enter__(self):
        try:
            self.file = self._open(self.temporary)
        except soundfile.LibsndfileError as error:
            self.temporary.unlink(missing_ok=True)
            raise self._failed(error) from error
        return self

    def _open(self, path):
        return soundfile.SoundFile(
            native(path), "w", self.sample_rate, self.channels, self.subtype, format=self.format
        )

    def write(self, block):
        """Append a block `(n, channels)`: floats, or int16, int32, int8 or uint8, scaled."""
        try:
            block = scaled(block)
        except InputError as error:
            raise InputError(f"cannot write {self.path}: {error}") from error
        if block.ndim != 2 or block.shape[1] != self.channels:
            raise InputError(
                f"cannot write {self.path}: received an array of shape {block.shape}, expected "
                f"(samples, {self.channels})"
            )
        if not np.isfinite(block).all():
            raise InputError(f"cannot write {self.path}: there are NaN or infinite samples")
        self.samples += len(block)
        if self.format == "FLAC" and not self.clipped and np.abs(block).max(initial=0) > 1:
            self.clipped = True
            log.warning("%s: samples beyond full scale are clipped in FLAC: use WAV", self.path)
        try:
            if self._passes_4_gib(self.samples):
                self._become_rf64()
            for first in range(0, len(block), _PIECE):  # Vorbis in one call overflows its stack
                self.file.write(block[first : first + _PIECE])
        except (soundfile.LibsndfileError, AssertionError) as error:  # a short write asserts
            raise self._failed(error) from error

    def complete(self):
        """End the file, and check that all of it is there: leaving the context moves it in place.

        Raises:
            InputError: The disk filled up.
        """
        try:
            self.file.close()
            self._check()
        except soundfile.LibsndfileError as error:
            raise self._failed(error) from error

    def __exit__(self, kind, error, traceback):
        try:
            if kind is None:
                self.complete()
                os.replace(self.temporary, self.path)
        finally:
            self.file.close()
            self.temporary.unlink(missing_ok=True)

    def _passes_4_gib(self, samples):
        return self.format == "WAV" and samples * self.channels * 4 > _WAV_BYTES

    def _become_rf64(self):
        """Copy what is written into a file whose header has room for longer counts."""
        self.file.close()
        self.format = "RF64"
        copy = self.temporary.with_name(f"{self.temporary.name}.rf64.partial")
        try:
            with soundfile.SoundFile(native(self.temporary)) as written:
                self.file = self._open(copy)
                for block in written.blocks(_PIECE, dtype="float32", always_2d=True):
                    self.file.write(block)
            os.replace(copy, self.temporary)
        except BaseException:
            self.file.close()
            raise
        finally:
            copy.unlink(missing_ok=True)

    def _check(self):
        """Catch a disk that filled up while the last samples were flushed: no error says so."""
        if self.samples and soundfile.info(native(self.temporary)).frames != self.samples:
            raise self._failed("the file came out short")

    def _failed(self, error):
        reason = getattr(error, "error_string", None) or str(error) or "short write"
        free = shutil.disk_usage(self.path.parent).free
        return InputError(
            f"cannot write {self.path}: {reason.rstrip('.')} ({free >> 20} MiB free on the disk)"
        )


def check_suffix(path):
    """Raise `InputError` for a file whose suffix is none of the formats'."""
    suffix = Path(path).suffix
    if suffix.lower() not in _FORMATS:
        raise InputError(
            f"cannot write {path}: received suffix {suffix!r}, expected one of "
            f"{', '.join(_FORMATS)}"
        )


def write(path, waveform, sample_rate, overwrite=False):
    """Write a waveform `(samples, channels)` as `.wav` (float), `.flac` (24 bit) or `.ogg`.

    Args:
        path: The file; its suffix decides the format.
        waveform: Array `(samples, channels)`: floats, full scale ±1, or int16, int32, int8 or
            uint8, which are scaled to that; FLAC clips what is beyond.
        sample_rate: In Hz.
        overwrite: Whether an existing file may be replaced. Defaults to False.

    Raises:
        InputError: As `Writer`.

    Example:
    ```python
    import numpy as np
    import kerasep

    noise = np.random.default_rng(0).uniform(-1, 1, (8000, 2)).astype("float32")
    kerasep.data.write("noise.wav", noise, 16000, overwrite=True)
    assert (kerasep.data.read("noise.wav")[0] == noise).all()
    ```
    """
    try:
        waveform = scaled(waveform)
    except InputError as error:
        raise InputError(f"cannot write {path}: {error}") from error
    if waveform.ndim != 2:
        raise InputError(
            f"cannot write {path}: received an array of shape {waveform.shape}, expected "
            "(samples, channels)"
        )
    samples, channels = waveform.shape
    with Writer(path, sample_rate, channels, overwrite, samples) as writer:
        writer.write(waveform)
