"""Write audio files, completely or not at all."""

import contextlib
import os
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from kerasep.data.audio.audio_info import native
from kerasep.data.audio.samples import scaled
from kerasep.errors import InputError
from kerasep.files.atomic import temporary_beside
from kerasep.system import logs

_FORMATS = {".wav": ("WAV", "FLOAT"), ".flac": ("FLAC", "PCM_24"), ".ogg": ("OGG", "VORBIS")}
_PIECE = 1 << 16
_WAV_BYTES = (1 << 32) - (1 << 16)  # WAV counts bytes in 32 bits

log = logs.logger(__name__)


class Writer:
    """Write an audio file in blocks, as a context manager: it appears once complete.

    The suffix decides the format, as for `write`. A WAV that passes 4 GiB becomes an RF64 file; if
    `samples` says in advance how many there will be, it is one from the start.
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

    def __enter__(self):
        with contextlib.ExitStack() as stack, self._readable_errors():
            self.temporary = stack.enter_context(temporary_beside(self.path))
            self.file = self._open(self.temporary)
            self._cleanup = stack.pop_all()
        return self

    def _open(self, path):
        return soundfile.SoundFile(
            native(path), "w", self.sample_rate, self.channels, self.subtype, format=self.format
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
        if self.format == "FLAC" and not self.clipped and np.abs(block).max(initial=0) > 1:
            self.clipped = True
            log.warning("%s: samples beyond full scale are clipped in FLAC: use WAV", self.path)
        with self._readable_errors():
            if self._passes_4_gib(self.samples):
                self._become_rf64()
            for first in range(0, len(block), _PIECE):  # Vorbis in one call overflows its stack
                self.file.write(block[first : first + _PIECE])

    def complete(self):
        """Close the file and check its length; leaving the context moves it in place."""
        with self._readable_errors():
            self.file.close()
            # A disk that fills up while the last samples are flushed raises no error.
            if self.samples and soundfile.info(native(self.temporary)).frames != self.samples:
                raise AssertionError("the file came out short")

    def __exit__(self, kind, error, traceback):
        with self._cleanup:
            try:
                if kind is None:
                    self.complete()
            finally:
                self.file.close()
            if kind is None:
                os.replace(self.temporary, self.path)

    def _passes_4_gib(self, samples):
        return self.format == "WAV" and samples * self.channels * 4 > _WAV_BYTES

    def _become_rf64(self):
        """Copy the file so far into one whose header has room for longer counts."""
        self.file.close()
        self.format = "RF64"
        with temporary_beside(self.temporary) as copy:
            with soundfile.SoundFile(native(self.temporary)) as written:
                self.file = self._open(copy)
                for block in written.blocks(_PIECE, dtype="float32", always_2d=True):
                    self.file.write(block)
            os.replace(copy, self.temporary)

    @contextlib.contextmanager
    def _readable_errors(self):
        try:
            yield
        except (soundfile.LibsndfileError, AssertionError) as error:  # a short write asserts
            reason = getattr(error, "error_string", None) or str(error) or "short write"
            free = shutil.disk_usage(self.path.parent).free >> 20
            raise InputError(
                f"cannot write {self.path}: {reason.rstrip('.')} ({free} MiB free on the disk)"
            ) from error


def check_suffix(path: str | os.PathLike) -> None:
    """Raise `InputError` for a file with an unknown suffix."""
    suffix = Path(path).suffix
    if suffix.lower() not in _FORMATS:
        raise InputError(
            f"cannot write {path}: received suffix {suffix!r}, expected one of "
            f"{', '.join(_FORMATS)}"
        )


def write(
    path: str | os.PathLike, waveform: npt.ArrayLike, sample_rate: int, overwrite: bool = False
) -> None:
    """Write a waveform `(samples, channels)` as `.wav` (float), `.flac` (24 bit) or `.ogg`.

    Args:
        path: The file; its suffix decides the format. A WAV beyond 4 GiB becomes RF64.
        waveform: Array `(samples, channels)` of floats with full scale ±1, or of int8, uint8,
            int16 or int32, which are scaled to it. FLAC clips samples beyond full scale.
        sample_rate: In Hz.
        overwrite: Whether an existing file may be replaced. Defaults to False.

    Raises:
        InputError: The suffix is unknown, the folder is missing, the file exists, the disk is
            full, there are NaN or infinite samples or integers of another type, or the format
            cannot hold the waveform.

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
    with Writer(path, sample_rate, channels, overwrite, length) as writer:
        writer.write(samples)


def _scaled(path, samples):
    try:
        return scaled(samples)
    except InputError as error:
        raise InputError(f"cannot write {path}: {error}") from error
