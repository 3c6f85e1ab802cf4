"""Large archives, file by file, on whatever runs Apache Beam: one machine's processes or a cluster.

Nothing else imports Apache Beam, and this does only when a pipeline is run. The workers must see
the files, and the folder for the results, under the same names as this process.
"""

import _thread
import contextlib
import csv
import functools
import io
import json
import os
import pathlib
import re
import shutil
import signal
import threading
import time
import uuid

import psutil

from kerasep.data.prepared import preparation, shards
from kerasep.errors import InputError
from kerasep.files.folder_lock import locked
from kerasep.files.text_files import file_name, read_text
from kerasep.separation import recordings
from kerasep.system import logs
from kerasep.system.names import csv_cell

FAILURES = "failures.csv"
_DIRECT = (
    "direct_running_mode=multi_processing",
    "direct_num_workers=0",  # one for each processor
    "default_sdk_harness_log_level=ERROR",
    # There are no triggers; without this Beam would first try to fetch another runner.
    "allow_unsafe_triggers",
)
_one_at_a_time = threading.Lock()

log = logs.logger(__name__)


def separate(
    files, out, load, *, suffix=".wav", track=None, runner="direct", options=(), progress=None
):
    """Separate many files, each into a folder of its own that appears when it is complete.

    A call that was stopped or killed can be repeated: files whose folder is there are left alone.
    Those that cannot be separated are listed in `failures.csv`, and tried again by the next call.
    One call at a time may work in a folder; a second one is refused.

    Args:
        files: dict from a name, of the folder for the stems, to the path of an audio file.
        out: the folder for these folders; made if it is missing.
        load: function that gives a `recordings.ChunkSeparator`, called once in every
            worker process; workers must be able to import what it needs.
        suffix: ".wav", ".flac" or ".ogg". Defaults to ".wav".
        track: which audio track of files that have several, from 1. Defaults to the first.
        runner: "direct" for this machine's processors, or a runner that Beam knows. Defaults to
            "direct".
        options: Beam's own options, such as "direct_num_workers=2" (with "direct"; by default one
            for each processor).
        progress: called with the share of the files that are done, 0 to 1.

    Returns:
        The failures: a list of pairs of a file and the reason.

    Raises:
        InputError: if Apache Beam is not installed or knows no such runner, a folder is there
            that is not a finished one, or another call is at work.

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
    out = _folder(out)
    sources = load().sources
    todo = [
        (os.fsencode(file), os.fsencode(name))  # for Beam, whose strings are UTF-8 alone
        for name, file in files.items()
        if not _is_separated(out / name, sources, suffix)
    ]
    work = functools.partial(_separate_one, load, out, suffix, track)

    def done():
        return len(files) - len({os.fsdecode(name) for _, name in todo}.difference(os.listdir(out)))

    with locked(out):
        _remove_leftovers(out)
        try:
            with _watched(progress, done, len(files)):
                return _on_each(todo, work, out / FAILURES, runner, options)
        finally:
            # Of a call that was stopped, and of workers of a call that was killed.
            _remove_leftovers(out)


def prepare(plan, out, *, runner="direct", options=(), progress=None):
    """Write the shards of a plan that are not there yet, and the index.

    Args:
        plan: a `kerasep.data.prepared.shards.Plan`.
        out: the folder for the shards; made if it is missing.
        runner: as for `separate`.
        options: as for `separate`.
        progress: called with the share of the shards that are done, 0 to 1.

    Returns:
        The index, a dict, and the failures, a list of pairs of a shard and the reason. The index is
        None if there are any: repeat the call.

    Raises:
        InputError: as `separate`; also if the folder holds something else or the disk is too small.

    Example:
    ```python
    from types import SimpleNamespace
    import kerasep
    from kerasep.data import shards

    kerasep.data.write_songs("songs", 4, seconds=2.0)
    model = SimpleNamespace(sources=("vocals",), sample_rate=16000, channels=1, stft=None)
    plan = shards.plan(kerasep.data.find_tracks("songs"), model)
    options = ["direct_running_mode=in_memory", "direct_num_workers=1"]
    index, failures = kerasep.separation.archives.prepare(plan, "shards", options=options)
    assert index["train"]["shards"] and not failures
    ```
    """
    out = _folder(out)
    with locked(out):
        return _prepare(plan, out, runner, options, progress)


def _prepare(plan, out, runner, options, progress):
    entries = preparation.begin(plan, out)
    todo = [(plan.name(number), number) for number, entry in enumerate(entries) if entry is None]
    work = functools.partial(_write_shard, plan, out)

    def done():
        return sum(shards.sidecar(out / plan.name(i)).exists() for i in range(len(entries)))

    with _watched(progress, done, len(entries)):
        failures = _on_each(todo, work, out / FAILURES, runner, options)
    if failures:
        return None, failures
    (out / FAILURES).unlink(missing_ok=True)
    for name, number in todo:
        entries[number] = json.loads(read_text(shards.sidecar(out / name)))
    return shards.finish(plan, entries, out), []


def read_manifest(path):
    r"""Read which files to separate.

    Args:
        path: a text file with a path on each line, or a `.csv` file with a column `file` and, if
            wanted, a column `name`. Relative paths are relative to the manifest's folder.

    Returns:
        A dict from a name to a path: what `separate` takes. A file that is listed twice is there
        once; its name is that of the file unless the manifest has another.

    Raises:
        InputError: for a manifest that cannot be read or lists no file, or two files of one name.

    Example:
    ```python
    import pathlib
    from kerasep.separation import archives

    pathlib.Path("files.txt").write_text("a/first.wav\nb/second.flac\n")
    assert list(archives.read_manifest("files.txt")) == ["first", "second"]
    ```
    """
    path = pathlib.Path(path)
    try:
        text = read_text(path)
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no text in UTF-8: expected a path on each line") from error
    if path.suffix.lower() == ".csv":
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        if rows and "file" not in rows[0]:
            raise InputError(f"{path} has columns {', '.join(rows[0])}, expected file and name")
        listed = [(row["file"], row.get("name")) for row in rows]
    else:
        listed = [(line.strip(), None) for line in io.StringIO(text, newline=None)]
    pairs = dict.fromkeys(
        (file_name(name or pathlib.Path(file).stem), path.parent / file_name(file))
        for file, name in listed
        if file
    )
    return named(pairs)


def named(pairs):
    """Give every file a folder's name.

    Args:
        pairs: iterable of pairs of a name and a path.

    Returns:
        A dict from names to paths; a file that is there twice under one name is there once.

    Raises:
        InputError: for no file, two of one name, or a name that is no folder's.
    """
    files = {}
    for name, file in pairs:
        if name in files and os.path.realpath(files[name]) == os.path.realpath(file):
            continue
        if name in files:
            raise InputError(
                f"received {files[name]} and {file}, both called {name}, expected different names: "
                "give them in a .csv manifest, in columns file and name"
            )
        if name in ("", ".", "..") or name.startswith(".") or "/" in name or "\\" in name:
            raise InputError(f"received the name {name!r} for {file}, expected that of a folder")
        files[name] = file
    if not files:
        raise InputError("received no file to separate, expected one or more")
    return files


def _folder(out):
    """Validate the folder for the results: Beam takes names in UTF-8 alone."""
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
            f"{folder} is there without {missing[0]}{suffix}: remove it, or choose another folder"
        )
    return True


def _remove_leftovers(out):
    remove_leftovers(out)
    for leftover in out.glob(f"beam-temp-{FAILURES}*"):
        shutil.rmtree(leftover, ignore_errors=True)


def remove_leftovers(folder):
    """Remove what a killed process left half-written, in a folder where no other is at work."""
    for leftover in pathlib.Path(folder).glob(".*.partial"):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


def _separate_one(load, out, suffix, track, file, name):
    """Separate a file into a folder that nobody sees before it is complete."""
    file, name = os.fsdecode(file), os.fsdecode(name)
    temporary = out / f".{name}.{uuid.uuid4().hex}.partial"
    try:
        with _one_at_a_time:  # of the threads that some runners have
            recordings.separate_file(_loaded(load), file, temporary, suffix=suffix, track=track)
        with contextlib.suppress(OSError):  # a runner may try twice, and the first is as good
            os.rename(temporary, out / name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@functools.lru_cache(maxsize=1)
def _loaded(load):
    return load()


def _write_shard(plan, out, _, number):
    shards.write_shard(plan, number, out)


def _on_each(todo, work, report, runner, options):
    """Call `work(*item)` for each item; write which failed, by the item's first member, and why."""
    beam, pipeline_options = _beam(runner, options)
    with (
        _killed_workers_noticed(),
        _workers_ended(),
        beam.Pipeline(runner=runner, options=pipeline_options) as pipeline,
    ):
        (
            pipeline
            | beam.Create(todo)
            | beam.Reshuffle()
            | beam.FlatMap(_failures, work)
            | beam.io.WriteToText(
                str(report), header="file,reason", shard_name_template="", num_shards=1
            )
        )
    with open(report, newline="", encoding="utf-8") as lines:
        return sorted((row["file"], row["reason"]) for row in csv.DictReader(lines))


def _failures(item, work):
    """Do the work on an item; return a line for the report if it failed."""
    reason = attempt(work, *item)
    if reason is None:
        return []
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([csv_cell(os.fsdecode(item[0])), csv_cell(reason)])
    return [line.getvalue()]


def attempt(work, file, *arguments):
    """Call `work(file, *arguments)`; return why it failed, in one line, or None."""
    try:
        work(file, *arguments)
    except (InputError, OSError) as error:
        reason = str(error)
    except Exception as error:
        # Whatever one file sets off, it must not end the work on all the others.
        log.exception("%s fails unexpectedly", os.fsdecode(file))
        reason = f"{type(error).__name__}: {error}"
    else:
        return None
    return " ".join(reason.split())


def _beam(runner, options):
    """Import Apache Beam, and make its options."""
    try:
        import apache_beam as beam
        from apache_beam.options.pipeline_options import PipelineOptions
    except ImportError as error:
        raise InputError(
            f"received runner {runner!r}, which needs Apache Beam: pip install kerasep[beam]"
        ) from error
    own = _DIRECT if runner == "direct" else ()
    flags = [f"--{option.lstrip('-')}" for option in (*own, *options)]  # the last of two counts
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            parsed = PipelineOptions(flags)
            values = parsed.get_all_options(retain_unknown_options=True)
    except SystemExit as error:
        reason = complaint.getvalue().strip().rpartition("error: ")[2]
        raise InputError(f"received runner options {', '.join(options)}: {reason}") from error
    unknown = values.keys() - PipelineOptions([]).get_all_options().keys()
    if runner == "direct" and unknown:
        raise InputError(
            f"received runner options {', '.join(options)}, but Apache Beam knows no "
            f"{', '.join(sorted(unknown))}"
        )
    return beam, parsed


@contextlib.contextmanager
def _killed_workers_noticed():
    """End a run whose worker process was killed: Beam's local runner would wait for it for ever."""
    usual, reasons = threading.excepthook, []

    def hook(failure):
        reason = str(failure.exc_value)
        if re.search(r"Worker subprocess exited .* (-2|130)$", reason):
            return  # Ctrl-C, which has reached this process, too
        if "Worker subprocess exited" in reason:
            reasons.append(reason)
            if hasattr(signal, "pthread_kill"):  # which wakes a thread that waits, too
                signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            else:
                _thread.interrupt_main()
        else:
            usual(failure)

    threading.excepthook = hook
    try:
        try:
            yield
        except RuntimeError:
            # The runner may see the broken connection before the hook hears of the worker's end.
            if not reasons:
                time.sleep(5)
            raise
    except (KeyboardInterrupt, RuntimeError):
        if not reasons:
            raise
        raise InputError(
            f"a worker process was killed, perhaps for want of memory ({reasons[0]}): the same "
            "call goes on, with fewer workers if need be"
        ) from None
    finally:
        threading.excepthook = usual


@contextlib.contextmanager
def _workers_ended():
    """End the worker processes of a run that is stopped: only Ctrl-C reaches them by itself."""
    before = psutil.Process().children()
    try:
        yield
    except BaseException:
        usual, threading.excepthook = threading.excepthook, lambda _: None  # of those that wait
        workers = [one for one in psutil.Process().children() if one not in before]
        for end in (psutil.Process.terminate, psutil.Process.kill):
            for worker in workers:
                with contextlib.suppress(psutil.NoSuchProcess):
                    end(worker)
            _, workers = psutil.wait_procs(workers, timeout=5)
        threading.excepthook = usual
        raise


@contextlib.contextmanager
def _watched(progress, done, total):
    """Report every second how much is done: runners do not say it while they run."""
    if progress is None or not total:
        yield
        return
    ended = threading.Event()

    def watch():
        while not ended.wait(1.0):
            progress(done() / total)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
