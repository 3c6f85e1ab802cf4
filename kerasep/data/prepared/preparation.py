"""Write a folder of tracks as prepared shards; resumes after an interruption."""

import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from kerasep.data.datasets.scale import warn_beyond_full_scale
from kerasep.data.datasets.tracks import Track, tracks_of
from kerasep.data.prepared import layout, shards
from kerasep.data.prepared.planning import Plan
from kerasep.data.service.schemas import parse
from kerasep.errors import InputError
from kerasep.files.atomic import remove_partial
from kerasep.files.folder_lock import locked
from kerasep.system import logs

_SPARE_BYTES = 64 << 20  # left free on the disk: it serves others too

log = logs.logger(__name__)


def prepare(
    data: str | Path | Sequence[Track],
    out: str | os.PathLike,
    model: Any,
    *,
    valid: str | Path | Sequence[Track] | None = None,
    format: str = "int16",
    shard_bytes: int = 256 << 20,
    workers: int | None = None,
    progress: Callable[[float], object] | None = None,
    missing: str = "refuse",
) -> dict:
    """Write tracks as TFRecord shards, from which training reads faster than from audio files.

    The folder can then be passed to `kerasep.data.waveforms`, `kerasep.data.spectrograms` and
    `kerasep.training.train` in place of the tracks. Sources are stored separately, so that crops
    are still drawn, mixed across tracks, scaled and swapped during training. Tracks are held out
    for validation here. The statistics of the mixtures' magnitudes, for `model.adapt`, are computed
    in the same pass.

    After an interruption, repeat the call: it keeps undamaged shards and writes the others.

    Args:
        data: A folder (see `find_tracks`) or a list of `Track`.
        out: The folder for the shards; created if it is missing.
        model: Anything with `sources`, `sample_rate` and `channels`, and `stft` for spectrograms
            and statistics.
        valid: Tracks to validate on, as `data`. Defaults to the validation tracks of the data set,
            or every tenth song.
        format: "int16" or "float16" for waveforms, or "spectrogram" for the model's transform in
            float16. Defaults to "int16".
        shard_bytes: Approximate size of a shard. Defaults to 256 MiB.
        workers: Number of shards written at the same time. Defaults to one per core.
        progress: Function that is called with the share that is written, from 0 to 1. Defaults to
            None.
        missing: What to do about a track that lacks a stem of a source: "silent" stores silence,
            "skip" leaves the track out, "refuse" raises an error. Defaults to "refuse".

    Returns:
        The index, a dict. Its `snr_db` is the ratio of the signal to the rounding error in dB.

    Raises:
        InputError: There are no tracks, a track lacks a stem or has the wrong channels, the disk
            is full, the folder holds other files, or another process is writing there.

    Example:
    ```python
    from types import SimpleNamespace
    import kerasep

    kerasep.data.write_songs("songs", 4, seconds=2.0)
    model = SimpleNamespace(sources=("vocals",), sample_rate=16000, channels=1, stft=None)
    index = kerasep.data.prepare("songs", "shards", model)
    assert index["snr_db"] > 60
    dataset = kerasep.data.waveforms("shards", model, batch_size=2, crop_seconds=1.0)
    for mixture, sources in dataset.take(1):
        assert mixture.shape == (2, 16000, 1) and sources.shape == (2, 16000, 1, 1)
    ```
    """
    tracks = tracks_of(data, model.sources, missing)
    valid = None if valid is None else tracks_of(valid, model.sources, missing)
    plan = shards.plan(tracks, model, valid, format=format, shard_bytes=shard_bytes)
    return carry_out(plan, out, workers=workers, progress=progress)


def carry_out(
    plan: Plan,
    out: str | os.PathLike,
    *,
    workers: int | None = None,
    progress: Callable[[float], object] | None = None,
) -> dict:
    """Write the missing shards of a plan, and the index.

    Args:
        plan: A `kerasep.data.prepared.planning.Plan`.
        out: As for `prepare`.
        workers: As for `prepare`.
        progress: As for `prepare`.

    Returns:
        The index.

    Raises:
        InputError: As `prepare`.
    """
    with locked(out):
        return _carry_out(plan, out, workers, progress)


def _carry_out(plan, out, workers, progress):
    entries = begin(plan, out)
    done = sum(entry["bytes"] for entry in entries if entry)
    missing = [index for index, entry in enumerate(entries) if entry is None]
    if progress:
        progress(done / plan.bytes)
    pool = ThreadPoolExecutor(workers or os.cpu_count())
    try:
        running = {pool.submit(shards.write_shard, plan, index, out): index for index in missing}
        for future in as_completed(running):
            entries[running[future]] = future.result()
            done += plan.shard_bytes(running[future])
            if progress:
                progress(done / plan.bytes)
    finally:
        pool.shutdown(cancel_futures=True)
    return shards.finish(plan, entries, out)


def begin(plan, out):
    """Check the folder, write the plan into it, and return the entries of finished shards."""
    out = Path(out)
    stored, wanted = _stored_plan(out), plan.described()
    if stored is None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} holds other files: choose another folder")
    if stored is not None:
        differing = [key for key in wanted if key != "kerasep" and stored.get(key) != wanted[key]]
        if differing:
            raise InputError(
                f"{out} was prepared with another {_difference(stored, wanted, differing)}: choose "
                "another folder, or repeat that call"
            )
    entries = [None] * len(plan.shards)
    if stored is not None:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            finished = pool.map(
                lambda index: shards.finished(plan, index, out), range(len(entries))
            )
            entries = list(finished)
    needed = sum(plan.shard_bytes(index) for index, entry in enumerate(entries) if entry is None)
    parent = next(path for path in (out, *out.absolute().parents) if path.exists())
    free = shutil.disk_usage(parent).free
    log.info("%s: %d MiB to be written, %d MiB are free", out, needed >> 20, free >> 20)
    if needed and needed + _SPARE_BYTES > free:
        raise InputError(
            f"{out} needs {needed >> 20} MiB, the disk has {free >> 20} MiB free: make room, or "
            "choose another disk"
        )
    out.mkdir(parents=True, exist_ok=True)
    remove_partial(out)
    if stored is None:
        warn_beyond_full_scale(plan.tracks)
        shards.write_json(out / layout.PLAN, wanted)
    return entries


def _stored_plan(out):
    try:
        stored = parse((out / layout.PLAN).read_bytes(), dict)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise InputError(f"{out / layout.PLAN} is damaged: choose another folder") from error
    return stored if "settings" in stored else None


def _difference(stored, wanted, differing):
    """Return what differs: settings by name, with both values."""
    if "settings" in differing and isinstance(stored["settings"], dict):
        changed = [
            f"{key} ({_short(stored['settings'].get(key))}, now {value})"
            for key, value in wanted["settings"].items()
            if stored["settings"].get(key) != value
        ]
        return ", ".join(changed) or "settings"
    return f"set of {', '.join(differing)}"


def _short(value):
    return " ".join(str(value).split())[:200]
