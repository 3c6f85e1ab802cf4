"""What an exported file costs on this machine: time, memory and size, by runtime and threads."""

import json
import pathlib
import re
import statistics
import subprocess
import sys

from kerasep.errors import InputError
from kerasep.tflite.graphs import operations
from kerasep.tflite.metadata import parse_metadata, read_model
from kerasep.tflite.runtime import Runtime


def bench(path, threads=(1,), *, rounds=3, runs=5, native=None, progress=None):
    """Measure what separating a chunk takes, each setting in fresh processes.

    The settings take turns in every round, so that what else the machine does meets all alike. A
    process loads the file and runs it once before it counts.

    Args:
        path: a `.tflite` file from `kerasep.tflite.export`.
        threads: numbers of threads to try. Defaults to 1 alone.
        rounds: how many processes each setting gets. Defaults to 3.
        runs: how many chunks a process times. Defaults to 5.
        native: path of the command `kerasep-native`, to measure the C library too. Default: not.
        progress: called with the share that is done, 0 to 1.

    Returns:
        List of dicts with runtime ("python" or "c"), threads, median_ms (of the rounds' medians)
        and least_ms for a chunk, real_time (the median's share of the chunk's duration), chunk_ms
        (that duration), latency_ms (of a causal model, else None), peak_mb (memory of the process,
        in 10^6 bytes), file_mb and operations.

    Raises:
        InputError: for a file that is no exported separator, numbers below 1, or a native command
            that is missing or fails.

    Example:
    ```python
    import kerasep

    model = kerasep.zoo.load("open_unmix_like/small", hidden=16)
    kerasep.tflite.export(model, "small.tflite", seconds=1, overwrite=True)
    [row] = kerasep.tflite.bench("small.tflite", rounds=1, runs=1)
    assert row["least_ms"] <= row["median_ms"]
    ```
    """
    threads = tuple(threads)
    if not threads or min(*threads, rounds, runs) < 1:
        raise InputError(
            f"received threads={list(threads)}, rounds={rounds}, runs={runs}, expected at least 1 "
            f"of each"
        )
    content = read_model(path)
    about = parse_metadata(content, path)
    if about["mode"] != "separate" or not about["chunk"]:
        raise InputError(
            f"received {path}, which takes no chunks of a recording: export in the mode separate"
        )
    Runtime(path)  # whatever else is wrong with the file is told by this
    kinds = {"python": _python} | ({"c": _native(native)} if native is not None else {})
    settings = [(kind, count) for count in threads for kind in kinds]
    found = {setting: [] for setting in settings}
    for done in range(rounds):
        for index, (kind, count) in enumerate(settings):
            found[kind, count].append(kinds[kind](path, count, runs))
            if progress:
                progress((done + (index + 1) / len(settings)) / rounds)
    return [_row(*setting, found[setting], about, content) for setting in settings]


def _row(kind, threads, found, about, content):
    duration = 1000 * about["chunk"] / about["sample_rate"]
    median = statistics.median(statistics.median(ms) for ms, _ in found)
    latency = about["latency"]
    return {
        "runtime": kind,
        "threads": threads,
        "median_ms": median,
        "least_ms": min(min(ms) for ms, _ in found),
        "real_time": median / duration,
        "chunk_ms": duration,
        "latency_ms": latency and 1000 * latency / about["sample_rate"],
        "peak_mb": max(peak for _, peak in found) / 1e6,
        "file_mb": len(content) / 1e6,
        "operations": sum(operations(content).values()),
    }


def _python(path, threads, runs):
    worker = "kerasep.tflite.benchmark_worker"
    found = json.loads(_said([sys.executable, "-m", worker, path, threads, runs]))
    return found["ms"], found["peak"]


def _native(command):
    command = pathlib.Path(command).absolute()
    if not command.is_file():
        raise InputError(f"received {command}, expected kerasep-native: build it by make native")

    def run(path, threads, runs):
        *ms, peak = _said([command, "--threads", threads, "--time", runs, path]).splitlines()
        return [float(line) for line in ms], 1024 * int(re.fullmatch(r"peak (\d+) KiB", peak)[1])

    return run


def _said(command):
    """Run a command and return what it printed."""
    try:
        done = subprocess.run(
            list(map(str, command)), capture_output=True, text=True, errors="backslashreplace"
        )
    except OSError as error:
        raise InputError(f"cannot run {command[0]}: {error.strerror}") from error
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
        raise InputError(f"{command[0]} failed: {lines[-1]}")
    return done.stdout
