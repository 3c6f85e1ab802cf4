"""From what a user has (a folder, tracks, a pool) to a plan of crops."""

import itertools
from pathlib import Path

from kerasep.data.crops import TrainingCrops, ValidationCrops
from kerasep.data.pool_crops import PoolCrops
from kerasep.data.pools import Pool
from kerasep.data.stems import check_channels
from kerasep.data.tracks import find_tracks
from kerasep.errors import InputError


def plan_crops(data, model, seconds, mixing, crops_per_track, seed, training):
    """Make the plan of crops for training or validation.

    Args:
        data: A folder of tracks, a list of `Track`, or a `Pool`.
        model: Anything with `sources` and `channels`.
        seconds: Duration of a crop.
        mixing: `kerasep.data.mixing.Mixing`.
        crops_per_track: Crops of each track, or each group of a pool, in an epoch; or None.
        seed: Of all random choices.
        training: Whether crops are random.

    Returns:
        Something with `length` and `example(epoch, index, files)`.

    Raises:
        InputError: There is no track, a track lacks a source, or has channels that do not fit.
    """
    mixing.check(len(model.sources))
    if isinstance(data, Pool):
        _check_channels(itertools.chain(*data.groups.values()), model.channels)
        mixing = mixing if training else mixing.unchanged()
        return PoolCrops(data, model.sources, seconds, crops_per_track, mixing, seed, training)
    tracks = find_tracks(data) if isinstance(data, str | Path) else list(data)
    if not tracks:
        raise InputError("received an empty list of tracks: expected one or more")
    for track in tracks:
        _check_channels(itertools.chain(*track.groups(model.sources)), model.channels)
    if training:
        return TrainingCrops(tracks, model.sources, seconds, crops_per_track, mixing, seed)
    return ValidationCrops(tracks, model.sources, seconds)


def _check_channels(stems, channels):
    for stem in stems:
        check_channels(stem, channels)
