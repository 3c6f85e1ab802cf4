"""The tracks that a run trains on, and those that it validates on."""

import os
from collections.abc import Sequence
from typing import Any

from kerasep import data
from kerasep.data.datasets.layouts.once import unchanged
from kerasep.system import logs

Tracks = str | os.PathLike | Sequence[data.Track] | data.Pool
log = logs.logger(__name__)


@unchanged()
def split(
    tracks: Tracks, valid: Tracks | None, sources: Sequence[str], missing: str = "refuse"
) -> tuple[Any, Any]:
    """Split a data set into tracks to train on and tracks to validate on.

    The data set's own splits are used if it has any: only its train tracks are trained on, and its
    valid tracks are validated on if `valid` is None. Otherwise every tenth song is held out, with
    all its clips.

    Args:
        tracks: folder, list of tracks, or `kerasep.data.Pool`.
        valid: the same, or None to hold out every tenth song (none of a single one).
        sources: names that every track must have.
        missing: "silent", "skip" or "refuse", see `kerasep.data.find_tracks`. Defaults to "refuse".

    Returns:
        Two lists of tracks, two pools (see `kerasep.data.pools.split_pool`), or for a folder of
        prepared tracks, which knows its own splits, that folder twice.

    Raises:
        InputError: a folder has no tracks, or a track lacks a source.

    Example:
    ```python
    import kerasep

    kerasep.data.write_songs("songs", 10, seconds=0.1)
    train, valid = kerasep.training.split("songs", None, ["vocals"])
    assert (len(train), len(valid)) == (9, 1)
    ```
    """
    if data.prepared.is_prepared(tracks):
        held_out = tracks if data.prepared.holds_validation(tracks) else []
        return tracks, held_out if valid is None else _find(valid, sources, missing)
    if data.pools.is_pool(tracks):
        return data.pools.split_pool(tracks, valid, sources)
    chosen = None if valid is None else _find(valid, sources, missing)
    train, held_out = data.tracks.split(_find(tracks, sources, missing), chosen)
    log.info("training on %d tracks, validating on %d", len(train), len(held_out))
    return train, held_out


def _find(tracks, sources, missing):
    if data.prepared.is_prepared(tracks):
        return tracks
    return data.tracks.tracks_of(tracks, sources, missing)
