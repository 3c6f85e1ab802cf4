"""Files that training reads crops from: kept open, and skipped once they fail or change."""

import collections
import contextlib
import threading

import numpy as np

from kerasep.data import audio
from kerasep.data.audio.audio_info import as_float, version
from kerasep.data.audio.decoders import open_decoder
from kerasep.data.datasets.stems import with_channels
from kerasep.data.sampling.held_files import shared
from kerasep.data.sampling.recording import Recording
from kerasep.errors import InputError
from kerasep.system import logs

_OPEN = 128  # files, all threads together
_PROBES, _PROBE_SECONDS = 8, 0.05

log = logs.logger(__name__)


class Unreadable(Exception):  # noqa: N818
    """A file that is skipped from now on."""


def open_recording(stem):
    """Open the file of a stem by kerasep's own decoders."""
    return open_decoder(stem.path, stem.stream)


class OpenFiles:
    """Reads stems in several threads; each keeps the files that it used last open.

    Samples that were decoded are held in memory for all threads, as long as there is room. A file,
    or a stem in a shard, that cannot be read or has changed is skipped for good, with one line in
    the log.
    """

    def __init__(self, threads, open_stem=open_recording):
        self.size, self.open_stem = max(4, _OPEN // threads), open_stem
        self.local, self.held = threading.local(), shared()
        self.skipped, self.lock = {}, threading.Lock()

    def usable(self, stems):
        """Return whether none of the stems is skipped."""
        return not self.skipped or not any(stem.unit in self.skipped for stem in stems)

    def holds(self, stem, sample_rate, shape):
        """Return whether samples of a stem are in memory."""
        return self._key(stem, sample_rate, shape) in self.held.held

    def none_left(self, what):
        """Return the error for when no other crop is left to take."""
        return InputError(
            f"there is no {what} left to train on, {len(self.skipped)} files cannot be read: "
            f"{list(self.skipped.values())[-1]}"
        )

    def read(self, stem, sample_rate, start, out, check=False, hold=True):
        """Fill an array `(samples, channels)` from `start` seconds on, with silence past the end.

        With `check` it looks for NaN and infinite samples. Without `hold` nothing is decoded but
        the crop. Raises `Unreadable` for a file that is skipped from now on.
        """
        recording = self._recording(stem, sample_rate, out.shape[1:])
        first = round(start * sample_rate)
        count = min(len(out), recording.total - first)
        if count <= 0:
            out[:] = 0
            return
        try:
            rows = self._held(recording, first, count, hold)
            if rows is not None:
                out[:count] = as_float(rows)
            elif sample_rate != stem.info.sample_rate:
                out[:count] = recording.decoded(first, count, self._open(stem))
            elif stem.info.channels == stem.channels == out.shape[-1]:
                self._open(stem).read_into(first, out[:count])
            else:
                waveform = audio.decode(self._open(stem), sample_rate, first, count)
                out[:count] = as_float(with_channels(waveform, stem, out.shape[-1]))
            out[count:] = 0
            if check and not np.isfinite(out).all():
                raise InputError(f"{stem.path} has NaN or infinite samples: repair the file")
        except (InputError, OSError) as error:
            raise self._skip(stem, error) from error

    def view(self, stem, sample_rate, start, shape):
        """Return samples in memory, decoded if they were missing, or None if they are not all held.

        They are as decoded, and may not be changed.
        """
        recording = self._recording(stem, sample_rate, shape[1:])
        first = round(start * sample_rate)
        if first + shape[0] > recording.total:
            return None
        with contextlib.suppress(InputError, OSError):  # which `read` reports
            return self._held(recording, first, shape[0])

    def _key(self, stem, sample_rate, shape):
        return self.open_stem, stem.path, stem.stream, stem.channel, sample_rate, shape

    def _recording(self, stem, sample_rate, shape):
        key, status = self._key(stem, sample_rate, shape), _version(stem.path)
        held = self.held.find(key, status)
        return Recording(stem, sample_rate, shape, key, status) if held is None else held

    def _held(self, recording, first, count, hold=True):
        if not hold and recording.missing(first, count):
            return None
        return self.held.rows(recording, first, count, lambda: self._open(recording.stem))

    def level(self, stems, start, seconds):
        """Estimate the level of stems together from short probes, in dB of full scale."""
        power = 0.0
        for stem in stems:
            rate = stem.info.sample_rate
            probe = np.empty((max(1, round(_PROBE_SECONDS * rate)), stem.channels), "float32")
            for place in np.linspace(start, start + seconds, _PROBES, endpoint=False):
                self.read(stem, rate, place, probe, hold=False)
                power += float(np.mean(np.square(probe))) / _PROBES
        return 10 * np.log10(power + 1e-12)

    def _open(self, stem):
        key = (stem.path, stem.stream)
        files = self.local.__dict__.setdefault("files", collections.OrderedDict())
        status = _version(stem.path)
        if key in files:
            decoder, then = files[key]
            if then == status:
                files.move_to_end(key)
                return decoder
            files.pop(key)[0].close()
        decoder = self.open_stem(stem)
        if decoder.info != stem.info:
            decoder.close()
            raise InputError(
                f"{stem.path} has changed: it had {_described(stem.info)}, now it has "
                f"{_described(decoder.info)}: start again to use it"
            )
        files[key] = decoder, status
        if len(files) > self.size:
            files.popitem(last=False)[1][0].close()
        return decoder

    def _skip(self, stem, error):
        reason = str(error)
        if not isinstance(error, InputError):
            reason = f"{stem.path} cannot be read: {error.strerror or error}"
        kept = self.local.files.pop((stem.path, stem.stream), None)
        if kept:
            kept[0].close()
        with self.lock:
            if stem.unit not in self.skipped:
                self.skipped[stem.unit] = reason
                log.warning("skipped from now on: %s (%d so far)", reason, len(self.skipped))
        return Unreadable(reason)


def _version(path):
    with contextlib.suppress(OSError):  # which opening the file reports
        return version(path)


def _described(info):
    return f"{info.samples} samples of {info.channels} channels at {info.sample_rate} Hz"
