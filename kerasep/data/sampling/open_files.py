"""Files that training reads crops from: kept open, and skipped once they fail or change."""

import collections
import contextlib
import threading

import numpy as np

from kerasep.data import audio
from kerasep.data.audio.audio_info import as_float, version
from kerasep.data.audio.decoders import open_decoder
from kerasep.data.datasets.stems import with_channels
from kerasep.data.sampling.held_files import HeldFiles
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

    Short files are held in memory instead, for all threads. A file, or a stem in a shard, that
    cannot be read or has changed is skipped for good, with one line in the log.
    """

    def __init__(self, threads, open_stem=open_recording):
        self.size, self.open_stem = max(4, _OPEN // threads), open_stem
        self.local, self.held = threading.local(), HeldFiles()
        self.skipped, self.lock = {}, threading.Lock()

    def usable(self, stems):
        """Return whether none of the stems is skipped."""
        return not self.skipped or not any(stem.unit in self.skipped for stem in stems)

    def holds(self, stem):
        """Return whether a stem's samples are in memory."""
        recording, _ = self.held.get((stem.path, stem.stream))
        return recording is not None

    def none_left(self, what):
        """Return the error for when no other crop is left to take."""
        return InputError(
            f"there is no {what} left to train on, {len(self.skipped)} files cannot be read: "
            f"{list(self.skipped.values())[-1]}"
        )

    def read(self, stem, sample_rate, channels, start, out, check=False):
        """Fill an array `(samples, channels)` from `start` seconds on, with silence past the end.

        With `check` it looks for NaN and infinite samples. Raises `Unreadable` for a file that is
        skipped from now on.
        """
        rate = stem.info.sample_rate
        first = round(start * rate)
        count = min(-(-len(out) * rate // sample_rate), stem.info.samples - first)
        if count <= 0:
            out[:] = 0
            return
        try:
            decoder = self._open(stem)
            if rate == sample_rate and stem.info.channels == channels == out.shape[-1]:
                decoder.read_into(first, out[:count])
                filled = count
            else:
                waveform = audio.decode(decoder, sample_rate, first, count)[: len(out)]
                filled = len(waveform)
                out[:filled] = as_float(with_channels(waveform, stem, channels))
            out[filled:] = 0
            if check and not np.isfinite(out).all():
                raise InputError(f"{stem.path} has NaN or infinite samples: repair the file")
        except (InputError, OSError) as error:
            raise self._skip(stem, error) from error

    def level(self, stems, start, seconds):
        """Estimate the level of stems together from short probes, in dB of full scale."""
        power = 0.0
        for stem in stems:
            rate = stem.info.sample_rate
            probe = np.empty((max(1, round(_PROBE_SECONDS * rate)), stem.channels), "float32")
            for place in np.linspace(start, start + seconds, _PROBES, endpoint=False):
                self.read(stem, rate, stem.channels, place, probe)
                power += float(np.mean(np.square(probe))) / _PROBES
        return 10 * np.log10(power + 1e-12)

    def _open(self, stem):
        key = (stem.path, stem.stream)
        files = self.local.__dict__.setdefault("files", collections.OrderedDict())
        status = None
        with contextlib.suppress(OSError):  # which opening it reports
            status = version(stem.path)
        recording, then = self.held.get(key)
        if recording and then == status:
            return recording
        if recording:
            self.held.drop(key)
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
        recording = self.held.put(key, decoder, status)
        if recording:
            decoder.close()
            return recording
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


def _described(info):
    return f"{info.samples} samples of {info.channels} channels at {info.sample_rate} Hz"
