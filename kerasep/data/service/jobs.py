"""Jobs of the data service: descriptions in JSON of the batches that a worker makes.

A job holds file names, numbers, and names of kerasep's own functions, but no code. Workers build
the pipeline from it with the classes that trainers use. Unknown fields are an error.
"""

import functools
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from kerasep import __version__
from kerasep.data.audio.reading import AudioInfo
from kerasep.data.datasets.pools import Pool
from kerasep.data.datasets.stems import Stem
from kerasep.data.datasets.tracks import Track
from kerasep.data.prepared.layout import transform_of
from kerasep.data.sampling.plans import open_reader
from kerasep.data.sampling.settings import Sampling
from kerasep.data.service import schemas
from kerasep.data.service.schemas import Channels, Count, Name, Positive, Rate, Record, parse
from kerasep.data.service.wire import MOST_BYTES
from kerasep.errors import InputError

_MOST_BATCH_BYTES = 8 << 30
_MOST_CROPS = 100_000_000  # of an epoch
_MOST_PARTS = 1_000_000  # recordings joined in one crop

Few = Annotated[int, Meta(ge=0, le=1024)]
AbsolutePath = Annotated[str, Meta(pattern=r"\A(/|[A-Za-z]:\\|\\\\)[^\x00]*\Z", max_length=4096)]


class StemFile(Record, omit_defaults=True):
    """A `Stem`."""

    path: AbsolutePath
    sample_rate: Rate
    samples: Positive
    channels: Channels
    stream: Few = 0
    channel: Few | None = None


class TrackFiles(Record):
    """A `Track`."""

    name: Annotated[str, Meta(max_length=4096)]
    stems: Annotated[dict[Name, StemFile], Meta(min_length=1)]
    silent: tuple[Name, ...] = ()


class Tracks(Record, tag="tracks"):
    """Tracks to train on."""

    tracks: Annotated[list[TrackFiles], Meta(min_length=1)]


class Recordings(Record, tag="pool"):
    """A `Pool` to train on."""

    name: Annotated[str, Meta(max_length=4096)]
    groups: Annotated[dict[Name, Annotated[list[StemFile], Meta(min_length=1)]], Meta(min_length=1)]


class Shards(Record, tag="prepared"):
    """A prepared folder to train on."""

    folder: AbsolutePath


class Signal(Record):
    """The signals that a model takes and returns."""

    sources: schemas.Names
    sample_rate: Rate
    channels: Channels
    stft: schemas.Transform | None = None


class Job(Record):
    """The description of a pipeline of `steps` batches per epoch."""

    data: Tracks | Recordings | Shards
    model: Signal
    sampling: Sampling
    steps: Positive
    kerasep: str = __version__


class Request(Record):
    """Request for a batch of a job."""

    epoch: Count
    step: Count


def describe(data, model, sampling, steps):
    """Describe a pipeline as a `Job`, a dict with absolute file names."""
    signal = {name: getattr(model, name) for name in ("sources", "sample_rate", "channels")}
    settings = asdict(sampling)
    for options in (settings["augment"] or {}).values():
        if isinstance(options.get("responses"), str):
            options["responses"] = os.path.abspath(options["responses"])
    return {
        "data": _described(data),
        "model": signal | {"stft": transform_of(model)},
        "sampling": settings,
        "steps": steps,
    }


def _described(data):
    if isinstance(data, Pool):
        groups = {name: list(map(_stem, stems)) for name, stems in data.groups.items()}
        return {"type": "pool", "name": data.name, "groups": groups}
    if isinstance(data, str | Path):
        return {"type": "prepared", "folder": os.path.abspath(data)}
    tracks = [
        {
            "name": track.name,
            "stems": {name: _stem(stem) for name, stem in track.stems.items()},
            "silent": track.silent,
        }
        for track in data
    ]
    return {"type": "tracks", "tracks": tracks}


def pack(job):
    """Convert the description of a job into bytes, and check that a worker accepts them."""
    try:
        packed = json.dumps({"kerasep": __version__, **_plain(job)}, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise InputError(
            f"received a pipeline that cannot travel to the workers of a data service ({error}): "
            "use settings that JSON holds, read prepared shards (kerasep prepare), or train "
            "without a service"
        ) from error
    unpack(packed)
    return packed


def unpack(packed):
    """Validate a job."""
    if len(packed) > MOST_BYTES:
        raise InputError(
            f"received a job of {len(packed)} bytes, expected at most {MOST_BYTES}: train on "
            "fewer recordings, or on prepared shards"
        )
    try:
        version = json.loads(packed)["kerasep"]
    except (ValueError, TypeError, KeyError, RecursionError):
        version = __version__
    if version != __version__ and isinstance(version, str):
        raise InputError(
            f"received a job of kerasep {version[:50]!r}, but the workers have "
            f"{__version__}: install the same"
        )
    try:
        job = parse(bytes(packed), Job)
        unknown = json.loads(packed)["sampling"].keys() - {f.name for f in fields(Sampling)}
        if unknown:  # msgspec ignores them in a dataclass
            raise ValueError(f"unknown field `{min(unknown)[:50]}` of sampling")
    except ValueError as error:
        raise InputError(
            f"received a job that this release does not know ({' '.join(str(error).split())}): "
            "install the same release of kerasep for training and on the workers"
        ) from error
    _check_size(job)
    return job


def _check_size(job):
    """Raise an error for a job that would exhaust the memory or the time of a worker."""
    sampling, seconds = job.sampling, job.sampling.crop_seconds
    samples = seconds * job.model.sample_rate * sampling.batch_size
    size = 4 * samples * job.model.channels * (1 + len(job.model.sources))
    if size > _MOST_BATCH_BYTES:
        raise InputError(
            f"received batches of {size:g} bytes, expected at most {_MOST_BATCH_BYTES}: lower "
            "batch_size or crop_seconds"
        )
    if isinstance(job.data, Shards):
        crops = sampling.crops_per_track or 0
    elif isinstance(job.data, Tracks):
        durations = [
            max(stem.samples / stem.sample_rate for stem in track.stems.values())
            for track in job.data.tracks
        ]
        crops = sum(sampling.crops_per_track or max(1, d / seconds) for d in durations)
    else:
        groups = job.data.groups.values()
        durations = [stem.samples / stem.sample_rate for stems in groups for stem in stems]
        crops = max(len(groups) * (sampling.crops_per_track or 1), sum(durations) / seconds)
        if seconds / min(durations) > _MOST_PARTS:
            raise InputError(
                f"received a recording of {min(durations):g} s for crops of {seconds:g} s: "
                "remove it, or take shorter crops"
            )
    if crops > _MOST_CROPS:
        raise InputError(
            f"received {crops:g} crops for an epoch, expected at most {_MOST_CROPS}: lower "
            "crops_per_track, or take longer crops"
        )


@functools.lru_cache(maxsize=4)
def batches_of(packed):
    """Build the pipeline of a job: a function of epoch and step that returns arrays."""
    job = unpack(packed)
    model = SimpleNamespace(**msgspec.structs.asdict(job.model))
    model.stft = msgspec.to_builtins(job.model.stft)
    reader, size = open_reader(_data(job.data), model, job.sampling, True), job.sampling.batch_size
    steps = reader.steps(size, True)
    if steps != job.steps:
        raise InputError(
            f"received an epoch of {job.steps} batches, but here it has {steps}: expected the "
            "same files and settings as on the trainer"
        )

    def batch(epoch, step):
        if step >= steps:
            raise InputError(f"received step {step} of an epoch that has {steps}")
        return reader.batch(epoch, step * size, (step + 1) * size)

    return batch


def _data(data):
    if isinstance(data, Shards):
        return data.folder
    if isinstance(data, Recordings):
        groups = {name: tuple(map(_opened, stems)) for name, stems in data.groups.items()}
        return Pool(data.name, groups)
    return [
        Track(
            track.name,
            {name: _opened(stem) for name, stem in track.stems.items()},
            silent=track.silent,
        )
        for track in data.tracks
    ]


def _opened(stem):
    info = AudioInfo(stem.sample_rate, stem.samples, stem.channels)
    return Stem(Path(stem.path), stem.stream, info, stem.channel)


def _stem(stem):
    described = {"path": os.path.abspath(stem.path), **stem.info._asdict()}
    return described | {"stream": stem.stream, "channel": stem.channel}


def _plain(value):
    """Convert mappings and sequences, such as those that Keras tracks, into dicts and lists."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    return os.path.abspath(value) if isinstance(value, Path) else value
