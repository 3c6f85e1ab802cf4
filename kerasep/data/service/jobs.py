"""Jobs of the data service: which batches a worker makes, described in JSON.

A job is data and nothing else: names of files, numbers, and names of functions that kerasep itself
has. A worker makes the pipeline from it by the same classes as a trainer, which check their
arguments; what no schema here knows is refused. Functions and classes of a user cannot travel.
"""

import functools
import json
import os
from collections.abc import Mapping, Sequence
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
from kerasep.data.sampling.effects import Effects
from kerasep.data.sampling.mixing import Mixing
from kerasep.data.sampling.plans import plan_crops
from kerasep.data.sampling.reader import Reader
from kerasep.data.service.schemas import (
    Channels,
    Count,
    Name,
    Names,
    Number,
    Positive,
    Rate,
    Record,
    Transform,
    parse,
)
from kerasep.data.service.wire import MOST_BYTES
from kerasep.errors import InputError

_MOST_BATCH_BYTES = 8 << 30
_MOST_CROPS = 100_000_000  # of an epoch
_MOST_PARTS = 1_000_000  # recordings joined in one crop

Setting = str | int | Number | bool | None
Few = Annotated[int, Meta(ge=0, le=1024)]
Length = Annotated[int, Meta(ge=1, le=1 << 31)]
Range = Annotated[list[Number], Meta(min_length=2, max_length=2)]
Decibels = Annotated[float, Meta(ge=-300, le=300)]
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
    """What a model takes and returns."""

    sources: Names
    sample_rate: Rate
    channels: Channels
    stft: Transform | None = None


class MixingSettings(Record):
    """Arguments of `Mixing`."""

    remix: Annotated[float, Meta(ge=0, le=1)]
    gain: Range | None
    swap: bool
    semitones: Annotated[int, Meta(ge=0, le=48)]
    snr: Annotated[list[Decibels], Meta(min_length=2, max_length=2)] | None
    min_sources: Few | None
    min_level: Decibels | None
    level: Decibels | None


class Job(Record):
    """What a worker must know to make the batches of a pipeline.

    Attributes:
        data: what is read.
        model: what it is for.
        samples: in a crop.
        batch_size: crops in a batch.
        steps: batches in an epoch.
        crops_per_track: as for `kerasep.data.waveforms`, and so on.
        mixing: the arguments of `Mixing`.
        augment: likewise.
        threads: likewise.
        seed: likewise.
        kerasep: the release of the trainer.
    """

    data: Tracks | Recordings | Shards
    model: Signal
    samples: Length
    batch_size: Annotated[int, Meta(ge=1, le=1 << 20)]
    steps: Positive
    crops_per_track: Length | None
    mixing: MixingSettings
    augment: dict[str, dict[str, Setting | list[Setting]]] | None
    threads: Annotated[int, Meta(ge=1, le=1024)] | None
    seed: Count
    kerasep: str = __version__


class Request(Record):
    """Which batch of a job is wanted."""

    epoch: Count
    step: Count


def described(data):
    """Describe tracks, a pool or a prepared folder for a `Job`, files by their absolute names."""
    if isinstance(data, Pool):
        groups = {name: list(map(_stem, stems)) for name, stems in data.groups.items()}
        return {"type": "pool", "name": data.name, "groups": groups}
    if isinstance(data, str | Path):
        return {"type": "prepared", "folder": os.path.abspath(data)}
    tracks = [
        {"name": track.name, "stems": {name: _stem(stem) for name, stem in track.stems.items()}}
        for track in data
    ]
    return {"type": "tracks", "tracks": tracks}


def signal(model):
    """Describe a model for a `Job`."""
    stft = getattr(model, "stft", None)
    return {
        "sources": list(model.sources),
        "sample_rate": model.sample_rate,
        "channels": model.channels,
        "stft": {"window": "hann", **stft} if stft else None,
    }


def augmentation(settings):
    """Describe `augment` for a `Job`: a folder of impulse responses by its absolute name."""
    settings = {name: dict(options) for name, options in (settings or {}).items()}
    for options in settings.values():
        if isinstance(options.get("responses"), str):
            options["responses"] = os.path.abspath(options["responses"])
    return settings


def pack(job):
    """Turn a description of a job into bytes, as a worker would read them.

    Args:
        job: dict of what `Job` has.

    Returns:
        bytes, which `unpack` accepts.

    Raises:
        InputError: Something in it is not a number, a name or a list of those, or out of range.
    """
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
    """Validate a job.

    Args:
        packed: bytes, from anybody.

    Returns:
        A `Job`.

    Raises:
        InputError: It is no job, of another release, or asks for more than a machine has.
    """
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
            f"received batches of kerasep {version[:50]!r} to make, but the workers have "
            f"{__version__}: install the same"
        )
    try:
        job = parse(bytes(packed), Job)
    except ValueError as error:
        raise InputError(
            f"received a job that this release does not know ({' '.join(str(error).split())}): "
            "install the same release of kerasep for training and on the workers"
        ) from error
    _check_size(job)
    return job


def _check_size(job):
    """Validate that a job takes neither the memory nor the time of a worker."""
    numbers = job.batch_size * job.samples * job.model.channels * (1 + len(job.model.sources))
    if 4 * numbers > _MOST_BATCH_BYTES:
        raise InputError(
            f"received batches of {4 * numbers} bytes, expected at most {_MOST_BATCH_BYTES}: "
            "lower batch_size or crop_seconds"
        )
    seconds = job.samples / job.model.sample_rate
    if isinstance(job.data, Shards):
        return
    if isinstance(job.data, Tracks):
        durations = [
            max(stem.samples / stem.sample_rate for stem in track.stems.values())
            for track in job.data.tracks
        ]
        crops = sum(job.crops_per_track or max(1, d / seconds) for d in durations)
    else:
        groups = job.data.groups.values()
        durations = [stem.samples / stem.sample_rate for stems in groups for stem in stems]
        crops = max(len(groups) * (job.crops_per_track or 1), sum(durations) / seconds)
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


def shapes(job):
    """Shapes of the arrays in a batch: `[(batch, samples, channels), (..., sources)]`.

    Of prepared spectrograms they are known from the folder alone.
    """
    shape = job.batch_size, job.samples, job.model.channels
    return [shape, (*shape, len(job.model.sources))]


@functools.lru_cache(maxsize=4)
def batches_of(packed):
    """Make the pipeline of a job.

    Args:
        packed: bytes, from anybody.

    Returns:
        A function of the numbers of an epoch and of a step in it, that returns a list of arrays.

    Raises:
        InputError: As `unpack`; also for settings or files that the pipeline refuses.
    """
    job = unpack(packed)
    model = SimpleNamespace(**msgspec.structs.asdict(job.model))
    model.stft = msgspec.to_builtins(job.model.stft)
    mixing = msgspec.structs.asdict(job.mixing)
    if isinstance(job.data, Shards):
        steps, read = _from_shards(job, model, mixing)
    else:
        steps, read = _live(job, model, mixing)
    if steps != job.steps:
        raise InputError(
            f"received an epoch of {job.steps} batches, but here it has {steps}: expected the "
            "same files and settings as where the training is"
        )

    def batch(epoch, step):
        if step >= steps:
            raise InputError(f"received step {step} of an epoch that has {steps}")
        return read(epoch, step)

    return batch


def _live(job, model, mixing):
    effects = Effects(job.augment, model.sample_rate, job.seed)
    length = effects.samples_needed(job.samples)
    if length > 16 * job.samples + (1 << 20):
        raise InputError(f"received {effects}: crops would need {length} samples")
    seconds = length / model.sample_rate
    plan = plan_crops(
        _data(job.data), model, seconds, Mixing(**mixing), job.crops_per_track, job.seed, True
    )
    reader, size = Reader(plan, job.samples, model, effects, job.threads), job.batch_size
    return plan.length // size, lambda epoch, step: reader.batch(
        epoch, step * size, (step + 1) * size
    )


def _from_shards(job, model, mixing):
    import tensorflow as tf

    from kerasep.data import prepared
    from kerasep.data.sampling.failures import input_errors

    if job.augment:
        raise InputError("received augment for prepared shards: that needs the recordings")
    steps, epoch_of_batches = prepared.batches(
        job.data.folder,
        model,
        batch_size=job.batch_size,
        crop_seconds=job.samples / model.sample_rate,
        crops_per_track=job.crops_per_track,
        seed=job.seed,
        **mixing,
    )

    @tf.function(input_signature=[tf.TensorSpec((), tf.int64)] * 2, autograph=False)
    def one(epoch, step):
        return epoch_of_batches(epoch, step, count=1).get_single_element()

    def read(epoch, step):
        with input_errors():
            return [each.numpy() for each in tf.nest.flatten(one(epoch, step))]

    return steps, read


def _data(data):
    if isinstance(data, Recordings):
        groups = {name: tuple(map(_opened, stems)) for name, stems in data.groups.items()}
        return Pool(data.name, groups)
    return [
        Track(track.name, {name: _opened(stem) for name, stem in track.stems.items()})
        for track in data.tracks
    ]


def _opened(stem):
    info = AudioInfo(stem.sample_rate, stem.samples, stem.channels)
    return Stem(Path(stem.path), stem.stream, info, stem.channel)


def _stem(stem):
    described = {"path": os.path.abspath(stem.path), **stem.info._asdict()}
    return described | {"stream": stem.stream, "channel": stem.channel}


def _plain(value):
    """Turn dicts and lists of other kinds, such as those that Keras watches, into JSON's."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    return os.path.abspath(value) if isinstance(value, Path) else value
