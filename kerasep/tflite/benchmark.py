"""Time, memory and size of an exported file on this machine, by runtime and threads."""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable

from kerasep.errors import InputError
from kerasep.tflite.format.graphs import operations
from kerasep.tflite.format.metadata import parse_metadata, read_model
from kerasep.tflite.runtime import Runtime


def bench(
    path: str | os.PathLike,
    threads: Iterable[int] = (1,),
    *,
    rounds: int = 3,
    runs: int = 5,
    native: str | os.PathLike | None = None,
    progress: Callable[[float], object] | None = None,
) -> list[dict]:
    """Measure the time and memory to separate a chunk, in fresh processes.

    The settings take turns in every round, so that other load on the machine affects all of them.
    A process loads the file and runs it once before it measures.

    Args:
        path: a `.tflite` file from `kerasep.tflite.export`.
        threads: numbers of threads to try. Defaults to 1 only.
        rounds: processes per setting. Defaults to 3.
        runs: chunks that a process times. Defaults to 5.
        native: path of the command `kerasep-native`, to measure the C library too. Defaults to
            None, for Python only.
        progress: function called with the finished share, 0 to 1. Defaults to None.

    Returns:
        List of dicts with runtime ("python" or "c"), threads, median_ms (of the rounds' medians)
        and least_ms for a chunk, real_time (median divided by the chunk's duration), chunk_ms
        (that duration), latency_ms (of a causal model, else None), peak_mb (memory of the process,
        in 10^6 bytes), file_mb and operations.

    Raises:
        InputError: if the file was not exported in mode "separate", a number is below 1, or the
            native command is missing or fails.

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
            f"received {path}, which takes no chunks of a recording: export with mode='separate'"
        )
    Runtime(path)  # raises for whatever else is wrong with the file
    kinds: dict[str, Callable] = {"python": _python}
    if native is not None:
        kinds["c"] = _native(native)
    settings = [(kind, count) for count in threads for kind in kinds]
    measured: dict[tuple, list] = {setting: [] for setting in settings}
    for done in range(rounds):
        for index, (kind, count) in enumerate(settings):
            measured[kind, count].append(kinds[kind](path, count, runs))
            if progress:
                progress((done + (index + 1) / len(settings)) / rounds)
    return [_row(*setting, measured[setting], about, content) for setting in settings]


def _row(kind, threads, measured, about, content):
    duration = 1000 * about["chunk"] / about["sample_rate"]
    median = statistics.median(statistics.median(ms) for ms, _ in measured)
    latency = about["latency"]
    return {
        "runtime": kind,
        "threads": threads,
        "median_ms": median,
        "least_ms": min(min(ms) for ms, _ in measured),
        "real_time": median / duration,
        "chunk_ms": duration,
        "latency_ms": latency and 1000 * latency / about["sample_rate"],
        "peak_mb": max(peak for _, peak in measured) / 1e6,
        "file_mb": len(content) / 1e6,
        "operations": sum(operations(content).values()),
    }


def _python(path, threads, runs):
    worker = "kerasep.tflite.benchmark_worker"
    measured = json.loads(_output([sys.executable, "-m", worker, path, threads, runs]))
    return measured["ms"], measured["peak"]


def _native(command):
    command = pathlib.Path(command).absolute()
    if not command.is_file():
        raise InputError(f"received {command}, expected kerasep-native: build it by make native")

    def run(path, threads, runs):
        *ms, peak = _output([command, "--threads", threads, "--time", runs, path]).splitlines()
        return [float(line) for line in ms], 1024 * int(re.fullmatch(r"peak (\d+) KiB", peak)[1])

    return run


def _output(command):
    """Run a command and return its output."""
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
