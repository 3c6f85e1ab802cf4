"""Separate large archives, or prepare shards, with Apache Beam: on one machine or a cluster.

The workers must see the files and the folder for the results under the same names as this process.
"""

import functools
import json
import os
import pathlib
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence

from kerasep.data.prepared import planning, preparation, shards
from kerasep.errors import InputError
from kerasep.files.atomic import remove, remove_partial, replacing
from kerasep.files.folder_lock import locked
from kerasep.files.text_files import read_text
from kerasep.separation import recordings
from kerasep.separation.bands import Band, check_band
from kerasep.separation.beam_runs import attempt as attempt
from kerasep.separation.beam_runs import on_each, watched
from kerasep.separation.ensembles import shared_sources
from kerasep.separation.manifests import named as named
from kerasep.separation.manifests import read_manifest as read_manifest
from kerasep.separation.stem_files import requested_outputs

FAILURES = "failures.csv"
_one_at_a_time = threading.Lock()


def separate(
    files: Mapping[str, str | os.PathLike],
    out: str | os.PathLike,
    load: Callable[[], recordings.ChunkSeparator | list[recordings.ChunkSeparator]],
    *,
    suffix: str = ".wav",
    bits: str | int | None = None,
    stems: Sequence[str] | None = None,
    minus: Sequence[str] | None = None,
    normalize: bool = False,
    band: Band = "full",
    weights: Sequence[float] | None = None,
    track: int | None = None,
    runner: str = "direct",
    options: Iterable[str] = (),
    progress: Callable[[float], object] | None = None,
) -> list[tuple[str, str]]:
    """Separate many files, each into its own folder, which appears when it is complete.

    A call that was stopped or killed can be repeated: files whose folder exists are skipped. Files
    that cannot be separated are listed in `failures.csv`, and tried again by the next call. A
    second call in the same folder at the same time raises an error.

    Args:
        files: Dict from a name, of the folder for the stems, to the path of an audio file.
        out: The folder for these folders, created if missing.
        load: Function that returns a `recordings.ChunkSeparator`, or a list of them for an
            ensemble. It is called once in every worker process. Workers must be able to import what
            it needs.
        suffix: See `separate_file`, also for the next four. Defaults to ".wav".
        bits: Defaults to "32f" for WAV and "24" for FLAC.
        stems: Defaults to all, or to none if there is `minus`.
        minus: Defaults to None.
        normalize: Defaults to False.
        band: See `kerasep.separate`. Defaults to "full".
        weights: See `kerasep.separate`. Defaults to equal weights.
        track: Which audio track of files that have several, from 1. Defaults to the first.
        runner: "direct" for this machine's processors, or a runner that Beam knows. Defaults to
            "direct".
        options: Beam's own options, such as "direct_num_workers=2" (with "direct" one for each
            processor by default).
        progress: Called with the share of the files that are done, 0 to 1.

    Returns:
        The failures: a list of pairs of a file and the reason.

    Raises:
        InputError: Apache Beam is not installed or knows no such runner, the folder of a file is
            incomplete, another call is using `out`, or band or weights are invalid.

    Example:
    ```python
    import kerasep

    def load():
        from kerasep.separation.recordings import ChunkSeparator

        return ChunkSeparator(lambda x: x[..., None] / 2, ("half",), 16000, 1, 4000, 400)

    kerasep.data.write("song.wav", kerasep.data.song(0, 2.0)["vocals"], 16000, overwrite=True)
    files = {"song": "song.wav", "lost": "lost.wav"}
    options = ["direct_num_workers=1"]
    failures = kerasep.separation.archives.separate(files, "stems", load, options=options)
    assert [file for file, reason in failures] == ["lost.wav"]
    ```
    """
    folder = _folder(out)
    check_band(band)
    requested = requested_outputs(shared_sources(load(), weights), stems, minus)
    todo = [
        (os.fsencode(file), os.fsencode(name))  # Beam's strings are UTF-8 only
        for name, file in files.items()
        if not _is_separated(folder / name, requested, suffix)
    ]
    settings = {
        "suffix": suffix,
        "bits": bits,
        "stems": stems,
        "minus": minus,
        "normalize": normalize,
        "band": band,
        "weights": weights,
        "track": track,
    }
    work = functools.partial(_separate_one, load, folder, settings)
    names = {name for _, name in todo}

    def done():
        return len(files) - len(names.difference(os.listdir(os.fsencode(folder))))

    with locked(folder):
        remove_leftovers(folder)
        try:
            with watched(progress, done, len(files)):
                return on_each(todo, work, folder / FAILURES, runner, options)
        finally:
            remove_leftovers(folder)  # of a call that was stopped, and of killed workers


def prepare(
    plan: planning.Plan,
    out: str | os.PathLike,
    *,
    runner: str = "direct",
    options: Iterable[str] = (),
    progress: Callable[[float], object] | None = None,
) -> tuple[dict | None, list[tuple[str, str]]]:
    """Write the missing shards of a plan, and the index.

    Args:
        plan: A `kerasep.data.prepared.planning.Plan`.
        out: The folder for the shards, created if missing.
        runner: See `separate`.
        options: See `separate`.
        progress: Called with the share of the shards that are done, 0 to 1.

    Returns:
        The index, a dict, and the failures, a list of pairs of a shard and the reason. The index is
        None if there are failures: repeat the call.

    Raises:
        InputError: See `separate`. Also if the folder holds something else or the disk is too
            small.

    Example:
    ```python
    from types import SimpleNamespace
    import kerasep
    from kerasep.data.prepared import planning

    kerasep.data.write_songs("songs", 4, seconds=2.0)
    model = SimpleNamespace(sources=("vocals",), sample_rate=16000, channels=1, stft=None)
    plan = planning.plan(kerasep.data.find_tracks("songs"), model)
    options = ["direct_running_mode=in_memory", "direct_num_workers=1"]
    index, failures = kerasep.separation.archives.prepare(plan, "shards", options=options)
    assert index["train"]["shards"] and not failures
    ```
    """
    folder = _folder(out)
    with locked(folder):
        entries = preparation.begin(plan, folder)
        todo = [(plan.name(i), i) for i, entry in enumerate(entries) if entry is None]
        work = functools.partial(_write_shard, plan, folder)

        def done():
            return sum(shards.sidecar(folder / plan.name(i)).exists() for i in range(len(entries)))

        with watched(progress, done, len(entries)):
            failures = on_each(todo, work, folder / FAILURES, runner, options)
        if failures:
            return None, failures
        (folder / FAILURES).unlink(missing_ok=True)
        for name, number in todo:
            entries[number] = json.loads(read_text(shards.sidecar(folder / name)))
        return shards.finish(plan, entries, folder), []


def remove_leftovers(folder: str | os.PathLike) -> None:
    """Remove what killed runs left half-written, in a folder that no other run is using."""
    folder = pathlib.Path(folder)
    remove_partial(folder)
    for leftover in folder.glob(f"beam-temp-{FAILURES}*"):
        remove(leftover)


def _folder(out):
    """Validate the name of the folder for the results: Beam takes UTF-8 only."""
    try:
        os.fspath(out).encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            f"received the folder {out}, expected a name in UTF-8, which Apache Beam needs: choose "
            "another"
        ) from error
    return pathlib.Path(out)


def _is_separated(folder, sources, suffix):
    if not folder.exists():
        return False
    missing = [name for name in sources if not (folder / f"{name}{suffix}").is_file()]
    if missing:
        raise InputError(
            f"{folder} exists without {missing[0]}{suffix}: remove it, or choose another folder"
        )
    return True


def _separate_one(load, out, settings, file, name):
    """Separate a file into a folder that appears when it is complete."""
    folder = out / os.fsdecode(name)
    try:
        # Some runners have several threads.
        with _one_at_a_time, replacing(folder) as temporary:
            recordings.separate_file(_loaded(load), os.fsdecode(file), temporary, **settings)
    except InputError:
        if not folder.exists():  # a runner may try a file twice: the first result stays
            raise


@functools.lru_cache(maxsize=1)
def _loaded(load):
    return load()


def _write_shard(plan, out, _, number):
    shards.write_shard(plan, number, out)
