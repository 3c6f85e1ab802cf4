"""Plan the crops of a folder, a list of tracks, a pool or prepared shards."""

import itertools
from pathlib import Path

from kerasep.data.datasets.layouts.once import unchanged
from kerasep.data.datasets.layouts.recogniser import recognise_groups
from kerasep.data.datasets.missing_stems import with_sources
from kerasep.data.datasets.pools import Pool, find_pool, is_pool, split_pool
from kerasep.data.datasets.stems import check_channels
from kerasep.data.datasets.tracks import find_tracks
from kerasep.data.datasets.tracks import split as split_tracks
from kerasep.data.prepared.index import is_prepared
from kerasep.data.prepared.shard_stems import shard_source
from kerasep.data.sampling.crops import TrainingCrops, ValidationCrops
from kerasep.data.sampling.effects import Effects
from kerasep.data.sampling.open_files import open_recording
from kerasep.data.sampling.pool_crops import PoolCrops
from kerasep.data.sampling.reader import CropSource, Reader
from kerasep.errors import InputError
from kerasep.system import logs
from kerasep.system.collections import no_collections

SPLITS = ("train", "valid", "test", "all")

logger = logs.logger(__name__)


def open_reader(data, model, sampling, training, split=None, missing="refuse"):
    """Find the data of a pipeline, plan its crops, and return a `Reader` of batches."""
    effects = Effects(sampling.augment if training else None, model.sample_rate, sampling.seed)
    samples = round(sampling.crop_seconds * model.sample_rate)
    if not 1 <= effects.samples_needed(samples) <= 16 * samples + (1 << 20):
        raise InputError(
            f"received crop_seconds={sampling.crop_seconds}, augment {effects}: crops would need "
            f"{effects.samples_needed(samples)} samples, expected from 1 to 16 times their length"
        )
    sampling.check_sources(len(model.sources))
    if is_prepared(data):
        if split is not None:
            raise InputError(
                f"received split={split!r} for the prepared {data}: expected none, what is trained "
                "and validated on was decided when it was prepared"
            )
        source = shard_source(data, model, sampling, training, effects)
    else:
        source = _recordings(data, model, sampling, training, effects, split, missing)
    return Reader(source, len(model.sources), effects, sampling.threads)


@no_collections()
def _recordings(data, model, sampling, training, effects, split, missing):
    """Plan crops of tracks or of a pool."""
    samples = round(sampling.crop_seconds * model.sample_rate)
    seconds = effects.samples_needed(samples) / model.sample_rate
    data = chosen(data, training, split)
    if isinstance(data, Pool):
        stems = itertools.chain(*data.groups.values())
        settings = sampling if training else sampling.for_validation()
        plan = PoolCrops(data, model.sources, seconds, settings, training)
    elif not data:
        raise InputError("received an empty list of tracks: expected one or more")
    else:
        data = with_sources(data, model.sources, missing)
        stems = (stem for t in data for group in t.groups(model.sources) for stem in group)
        if training:
            plan = TrainingCrops(data, model.sources, seconds, sampling)
        else:
            plan = ValidationCrops(data, model.sources, seconds)
    for stem in stems:
        check_channels(stem, model.channels)
    shape = samples, model.channels
    open_stem = open_recording
    if sampling.reader == "tensorflow-io":
        from kerasep.data.audio import tfio

        tfio.check_available()
        open_stem = tfio.open_stem
    return CropSource(plan, open_stem, shape, model.sample_rate, data)


@unchanged()
def chosen(data, training, split=None):
    """Return the tracks or the pool of a data set to train or to validate on."""
    if split is not None and split not in SPLITS:
        raise InputError(f"received split={split!r}, expected one of {', '.join(SPLITS)} or None")
    named = None if split == "all" else split
    if isinstance(data, Pool):
        if named:
            raise InputError(f"received split={split!r} for a Pool: give it to find_pool")
        return data
    if not isinstance(data, str | Path):
        return [track for track in data if named in (None, track.split)]
    if is_pool(data):
        splits = {group.split for group in recognise_groups(data).groups}
        if split is None and "train" in splits:
            pair = split_pool(data)
            return _one_of(pair, training, data, "recordings", lambda pool: pool.groups.values())
        return find_pool(data, named)
    tracks = find_tracks(data, split=named)
    if split is None and any(track.split == "train" for track in tracks):
        return _one_of(split_tracks(tracks), training, data, "tracks", lambda part: [part])
    return tracks


def _one_of(pair, training, data, what, lists):
    """Return the first of a pair to train, the second to validate, and log which."""
    if not training and not pair[1]:
        raise InputError(
            f"{data} has too few {what} of its train split to hold some out: name what to validate "
            f"on by split"
        )
    train, valid = (sum(map(len, lists(part))) if part else 0 for part in pair)
    logger.info(
        "%s: %d %s to train on, %d to validate on; now those to %s",
        data, train, what, valid, "train on" if training else "validate on",
    )  # fmt: skip
    return pair[0] if training else pair[1]
