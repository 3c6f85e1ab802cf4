"""Stems in prepared shards: listed by the index, read by a decoder of their own."""

import os
import stat
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kerasep.data.audio.audio_info import AudioInfo
from kerasep.data.prepared import layout
from kerasep.data.prepared.index import read_index
from kerasep.data.sampling.crops import TrainingCrops, ValidationCrops
from kerasep.data.sampling.reader import CropSource
from kerasep.errors import InputError
from kerasep.system import logs

_AT_ONCE = 1 << 21  # bytes per read
# Every float16 as float32, by its bits: twice as fast as NumPy's conversion.
_HALVES = np.arange(1 << 16, dtype="uint16").view("float16").astype("float32")

log = logs.logger(__name__)


class ShardStem(NamedTuple):
    """One group of a segment. Its samples are rows, of which spectra have one per "second"."""

    path: Path
    stream: int  # its first byte in the file
    info: AudioInfo
    record: int  # number of its first record in the file
    scale: float
    settings: dict

    channel: int | None = None

    @property
    def channels(self):
        """The number of channels."""
        return self.info.channels

    @property
    def unit(self):
        """What is skipped if the stem cannot be read: the stem alone, as the file has many."""
        return self.path, self.stream


class ShardTrack(NamedTuple):
    """A segment, with the interface of a `Track` that plans use."""

    name: str
    duration: float
    stems: tuple  # of each source in order, then of the rest of the mixture

    def groups(self, _sources):
        """Return the stems of each source, then all others."""
        return self.stems


class ShardFile:
    """The rows of one stem, with the interface of the decoders in `kerasep.data.audio`."""

    def __init__(self, stem):
        self.path, self.info, self.stem = stem.path, stem.info, stem
        self.size = stem.settings["record_rows"]
        self.row_bytes = layout.row_bytes(stem.settings)
        self.record_bytes = layout.record_bytes(stem.settings)
        self.dtype = "<i2" if stem.settings["format"] == "int16" else "<u2"
        self.file = open(stem.path, "rb", buffering=0)  # noqa: SIM115  (closed by `close`)

    def blocks(self, start, samples, size):
        """Yield blocks of at most `size` rows: int16 of 16-bit recordings."""
        dtype = "complex64" if self.stem.settings["format"] == "spectrogram" else "float32"
        if self.dtype == "<i2" and self.stem.scale == 2.0**-15:
            dtype = "int16"
        shape = self.stem.settings["row_shape"][: 2 if dtype == "complex64" else 1]
        for first in range(start, start + samples, size):
            block = np.empty((min(size, start + samples - first), *shape), dtype)
            self.read_into(first, block)
            yield block

    def read_into(self, start, out):
        """Fill an array of rows from row `start` on: of floats, or of the integers themselves."""
        numbers = out.view("int16" if out.dtype == np.int16 else "float32").reshape(len(out), -1)
        stop = start + len(out)
        first, last = start // self.size, (stop - 1) // self.size
        at_once = max(1, _AT_ONCE // self.record_bytes)
        for begin in range(first, last + 1, at_once):
            records = range(begin, min(begin + at_once, last + 1))
            for record, content in zip(records, self._contents(records), strict=True):
                offset = record * self.size
                low, high = max(start, offset), min(stop, offset + len(content))
                rows = content[low - offset : high - offset]
                target = numbers[low - start : high - start]
                if out.dtype == np.int16:
                    target[:] = rows
                elif self.dtype == "<u2":
                    np.take(_HALVES, rows, out=target, mode="clip")
                else:
                    np.multiply(rows, np.float32(self.stem.scale), out=target)

    def _contents(self, records):
        """Yield the rows of records, after checking their checksums."""
        self.file.seek(self.stem.stream + records[0] * self.record_bytes)
        rows = min(records[-1] * self.size + self.size, self.info.samples) - records[0] * self.size
        buffer = np.empty(layout.group_bytes(self.stem.settings, rows), "uint8")
        view = buffer[: self.file.readinto(buffer)]
        for number, record in enumerate(records):
            length = self.row_bytes * min(self.size, self.info.samples - record * self.size)
            framed = view[number * self.record_bytes :][: length + layout.FRAMING]
            if not layout.is_intact(framed, length):
                raise InputError(
                    f"record {self.stem.record + record} of {self.path} is damaged: run the same "
                    "kerasep prepare again"
                )
            content = framed[layout.HEAD : layout.HEAD + length].view(self.dtype)
            yield content.reshape(-1, self.row_bytes // 2)

    def close(self):
        """Close the file."""
        self.file.close()


def shard_source(folder, model, sampling, training, effects):
    """Plan the crops of a prepared folder for a model, and return them as a `CropSource`."""
    index = read_index(folder)
    settings = index["settings"]
    slots = _slots(folder, settings, model)
    is_spectra = settings["format"] == "spectrogram"
    if training:
        _check_settings(folder, sampling, is_spectra)
    rate = 1 if is_spectra else model.sample_rate
    rows = layout.rows(settings, round(sampling.crop_seconds * model.sample_rate))
    count = len(model.sources)
    tracks = [
        track
        for shard in index["train" if training else "valid"]["shards"]
        for track in _tracks(Path(folder) / shard["file"], shard, settings, rate, slots, count)
    ]
    sources, seconds = range(count), effects.samples_needed(rows) / rate
    if training:
        counts = _counts(tracks, seconds, sampling.crops_per_track)
        plan = TrainingCrops(tracks, sources, seconds, sampling, counts)
    else:
        plan = ValidationCrops(tracks, sources, seconds)
    row = settings["row_shape"][:2] if is_spectra else settings["row_shape"]
    return CropSource(plan, ShardFile, (rows, *row), rate, folder)


def _tracks(path, shard, settings, rate, slots, count):
    """List the segments of a shard."""
    _check_file(path, shard["bytes"])
    tracks, record = [], 0
    for segment in shard["segments"]:
        rows = segment["rows"]
        info = AudioInfo(rate, rows, settings["channels"])
        stems = [[] for _ in range(count + 1)]
        size = layout.group_bytes(settings, rows)
        for group, (slot, scale) in enumerate(zip(slots, segment["scales"], strict=True)):
            offset = segment["offset"] + group * size
            stems[slot].append(ShardStem(path, offset, info, record, scale, settings))
            record += -(-rows // settings["record_rows"])
        tracks.append(ShardTrack(segment["track"], rows / rate, tuple(map(tuple, stems))))
    return tracks


def _counts(tracks, seconds, crops_per_track):
    """Compute the crops per epoch of each segment; those of one track share its number."""
    if crops_per_track is None:
        return [max(1, round(track.duration / seconds)) for track in tracks]
    counts, heard, total = [], {}, {}
    for track in tracks:
        total[track.name] = total.get(track.name, 0) + track.duration
    for track in tracks:
        before = heard.get(track.name, 0)
        heard[track.name] = before + track.duration
        shares = [time / total[track.name] for time in (before, heard[track.name])]
        first, last = (round(share * crops_per_track) for share in shares)
        counts.append(last - first)
    return counts


def _slots(folder, settings, model):
    """Return the number of each stored group's source, or the number of sources for the rest."""
    stft, count = layout.transform_of(model), len(model.sources)
    if settings["format"] == "spectrogram" and settings["stft"] != stft:
        raise InputError(
            f"{folder} holds spectrograms of {settings['stft']}, the model takes "
            f"{stft or 'waveforms'}: prepare it for this model, or as int16 for any"
        )
    for name in ("sample_rate", "channels"):
        if settings[name] != getattr(model, name):
            raise InputError(
                f"{folder} was prepared with {name} {settings[name]}, the model has "
                f"{getattr(model, name)}: prepare it for this model"
            )
    stored = [*settings["sources"], *(["rest"] if settings["rest"] else [])]
    belongs = dict.fromkeys(stored, count)
    for slot, source in enumerate(model.sources):
        names = {source} & set(settings["sources"])
        if source == "accompaniment" and not names and "vocals" in settings["sources"]:
            names = set(stored) - {"vocals"}
        if not names or any(belongs[name] != count for name in names):
            raise InputError(
                f"{folder} was prepared with {', '.join(settings['sources'])}, the model's sources "
                f"are {', '.join(model.sources)}: prepare it for this model"
            )
        belongs |= dict.fromkeys(names, slot)
    return [*belongs.values()]


def _check_settings(folder, sampling, is_spectra):
    """Raise an error for settings that need audio files or waveforms."""
    if sampling.reader is not None:
        raise InputError(
            f"received reader={sampling.reader!r} for the prepared {folder}: expected None, shards "
            "are read by kerasep alone"
        )
    needless = [name for name in ("semitones", "min_level") if getattr(sampling, name)]
    needless += [name for name in sampling.augment or {} if name != "mask_spectrum"]
    if is_spectra and needless:
        raise InputError(
            f"received {', '.join(needless)} for {folder}, which holds spectrograms: that needs "
            "waveforms, leave it out or prepare the tracks as int16"
        )


def _check_file(path, expected):
    try:
        status = os.stat(path)
    except OSError as error:
        raise InputError(f"{path} is missing: run the same kerasep prepare again") from error
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{path} is not a file: run the same kerasep prepare again")
    if status.st_size != expected:
        log.warning(
            "%s has %d bytes, expected %d: what is missing is skipped; the same kerasep prepare "
            "again rewrites it",
            path,
            status.st_size,
            expected,
        )
