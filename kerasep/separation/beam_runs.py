"""Run work on many items through Apache Beam: options, failures, progress, workers that die.

Nothing else imports Apache Beam, and this only when a pipeline is run.
"""

import _thread
import contextlib
import csv
import io
import os
import re
import signal
import threading

import psutil

from kerasep.errors import InputError, installed_by
from kerasep.system import logs
from kerasep.system.names import csv_cell

_DIRECT = (
    "direct_running_mode=multi_processing",
    "direct_num_workers=0",  # one for each processor
    "default_sdk_harness_log_level=ERROR",
    # There are no triggers; without this Beam would first try to fetch another runner.
    "allow_unsafe_triggers",
)

_PATIENCE = 5.0  # seconds

log = logs.logger(__name__)


def on_each(todo, work, report, runner, options):
    """Call `work(*item)` for each item; write the failures to a CSV file and return them."""
    beam, built_runner, pipeline_options = _beam(runner, options)
    with (
        _workers_ended(),
        _killed_workers_noticed(),  # before the others are ended, which hides why
        beam.Pipeline(runner=built_runner, options=pipeline_options) as pipeline,
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


@contextlib.contextmanager
def watched(progress, done, total):
    """Report every second how much is done: runners do not report it while they run."""
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


def attempt(work, file: str | bytes | os.PathLike, *arguments) -> str | None:
    """Call `work(file, *arguments)`; return why it failed, in one line, or None."""
    try:
        work(file, *arguments)
    except (InputError, OSError) as error:
        reason = str(error)
    except Exception as error:
        # An unexpected failure on one file must not end the work on the others.
        log.exception("%s fails unexpectedly", os.fsdecode(file))
        reason = f"{type(error).__name__}: {error}"
    else:
        return None
    return " ".join(reason.split())


def _failures(item, work):
    """Call `work(*item)`; return a line of the report if it failed, by the item's first member."""
    reason = attempt(work, *item)
    if reason is None:
        return []
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([csv_cell(os.fsdecode(item[0])), csv_cell(reason)])
    return [line.getvalue()]


def _beam(runner, options):
    """Import Apache Beam, build its runner, and parse its options."""
    with installed_by("kerasep[beam]"):
        import apache_beam as beam
        from apache_beam.options.pipeline_options import PipelineOptions
        from apache_beam.runners import create_runner
    try:
        built_runner = create_runner(runner)
    except (ValueError, ImportError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"received the runner {runner!r}, expected direct or another that Apache Beam knows: "
            f"{reason}"
        ) from error
    defaults = _DIRECT if runner == "direct" else ()
    flags = [f"--{option.lstrip('-')}" for option in (*defaults, *options)]  # the last one wins
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
    return beam, built_runner, parsed


@contextlib.contextmanager
def _killed_workers_noticed():
    """End a run when a worker process is killed: Beam's local runner would wait for it forever."""
    usual, reasons, noticed = threading.excepthook, [], threading.Event()
    is_running, lock = True, threading.Lock()

    def hook(failure):
        reason = str(failure.exc_value)
        if re.search(r"Worker subprocess exited .* (-2|130)$", reason):
            return  # Ctrl-C, which has reached this process, too
        if "Worker subprocess exited" not in reason:
            usual(failure)
            return
        with lock:  # another worker may be killed too: interrupt once, and only the run
            reasons.append(reason)
            if is_running and not noticed.is_set():
                _interrupt_main_thread()
            noticed.set()

    threading.excepthook = hook
    try:
        yield
    except (KeyboardInterrupt, RuntimeError) as error:
        with contextlib.suppress(KeyboardInterrupt):  # the hook's, if the runner failed before it
            with lock:
                is_running = False
            if isinstance(error, RuntimeError):
                # The runner may see the broken connection before the hook is called.
                noticed.wait(_PATIENCE)
        if not reasons:
            raise
        raise InputError(
            f"a worker process was killed, perhaps for lack of memory ({reasons[0]}): repeat the "
            "call to resume, with fewer workers if needed"
        ) from None
    finally:
        threading.excepthook = usual


def _interrupt_main_thread():
    if hasattr(signal, "pthread_kill"):  # which wakes a thread that waits, too
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    else:
        _thread.interrupt_main()


@contextlib.contextmanager
def _workers_ended():
    """End the worker processes of a run that is stopped: only Ctrl-C reaches them by itself."""
    before = psutil.Process().children()
    try:
        yield
    except BaseException:
        usual, threading.excepthook = threading.excepthook, lambda _: None  # of those that wait
        workers = [child for child in psutil.Process().children() if child not in before]
        for end in (psutil.Process.terminate, psutil.Process.kill):
            for worker in workers:
                with contextlib.suppress(psutil.NoSuchProcess):
                    end(worker)
            _, workers = psutil.wait_procs(workers, timeout=_PATIENCE)
        threading.excepthook = usual
        raise
