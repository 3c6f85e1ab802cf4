"""From what a user has (a folder, tracks, a pool) to a plan of crops."""

import itertools
from pathlib import Path

from kerasep.data.datasets.layouts.recogniser import recognise_groups
from kerasep.data.datasets.missing_stems import with_sources
from kerasep.data.datasets.pools import Pool, find_pool, is_pool, split_pool
from kerasep.data.datasets.stems import check_channels
from kerasep.data.datasets.tracks import find_tracks
from kerasep.data.datasets.tracks import split as split_tracks
from kerasep.data.sampling.crops import TrainingCrops, ValidationCrops
from kerasep.data.sampling.pool_crops import PoolCrops
from kerasep.errors import InputError
from kerasep.system import logs

SPLITS = ("train", "valid", "test", "all")

logger = logs.logger(__name__)


def plan_crops(
    data, model, seconds, mixing, crops_per_track, seed, training, split=None, missing="refuse"
):
    """Make the plan of crops for training or validation.

    Args:
        data: A folder, a list of `Track`, or a `Pool`.
        model: Anything with `sources` and `channels`.
        seconds: Duration of a crop.
        mixing: `kerasep.data.sampling.mixing.Mixing`.
        crops_per_track: Crops of each track, or each group of a pool, in an epoch; or None.
        seed: Of all random choices.
        training: Whether crops are random.
        split: See `chosen`.
        missing: See `kerasep.data.datasets.missing_stems.with_sources`.

    Returns:
        Something with `length` and `example(epoch, index, files)`.

    Raises:
        InputError: There is no track, a track lacks a source, or has channels that do not fit.
    """
    mixing.check(len(model.sources))
    data = chosen(data, training, split)
    if isinstance(data, Pool):
        _check_channels(itertools.chain(*data.groups.values()), model.channels)
        mixing = mixing if training else mixing.unchanged()
        return PoolCrops(data, model.sources, seconds, crops_per_track, mixing, seed, training)
    if not data:
        raise InputError("received an empty list of tracks: expected one or more")
    tracks = with_sources(data, model.sources, missing)
    for track in tracks:
        _check_channels(itertools.chain(*track.groups(model.sources)), model.channels)
    if training:
        return TrainingCrops(tracks, model.sources, seconds, crops_per_track, mixing, seed)
    return ValidationCrops(tracks, model.sources, seconds)


def chosen(data, training, split=None):
    """Find the tracks or recordings of a data set to train or to validate on.

    Args:
        data: A folder or manifest; or a list of `Track` or a `Pool`, which are taken as they are
            unless a split is asked for.
        training: Whether they are to be trained on.
        split: "train", "valid" or "test" for that split alone, "all" for everything. By default,
            where the data set has train tracks of its own: these, less the ones that
            `kerasep.data.tracks.split` holds apart to validate on, or those. Else everything.

    Returns:
        A list of `Track`, or a `Pool`.

    Raises:
        InputError: There is no such split, or nothing to validate on.
    """
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
        if split is None and "train" in _splits_of_pool(data):
            pair = split_pool(data)
            return _one_of(pair, training, data, "recordings", lambda pool: pool.groups.values())
        return find_pool(data, named)
    tracks = find_tracks(data, split=named)
    if split is None and any(track.split == "train" for track in tracks):
        return _one_of(split_tracks(tracks), training, data, "tracks", lambda found: [found])
    return tracks


def _one_of(pair, training, data, what, lists):
    """Choose the first of a pair to train, the second to validate, and log which."""
    if not training and not pair[1]:
        raise InputError(
            f"{data} has too few {what} of its train split to hold some out: name what to validate "
            f"on by split"
        )
    train, valid = (sum(map(len, lists(one))) if one else 0 for one in pair)
    logger.info(
        "%s: %d %s to train on, %d to validate on; now those to %s",
        data, train, what, valid, "train on" if training else "validate on",
    )  # fmt: skip
    return pair[0] if training else pair[1]


def _splits_of_pool(data):
    return {group.split for group in recognise_groups(data).groups}


def _check_channels(stems, channels):
    for stem in stems:
        check_channels(stem, channels)
