"""Time a file in a separate process: `python -m kerasep.tflite.benchmark_worker`."""

import json
import sys
import time

import numpy as np

from kerasep.system import memory
from kerasep.tflite.runtime import Runtime


def timed(path, threads, runs):
    """Return the milliseconds of runs after a first one, and the process's peak memory in bytes."""
    runtime = Runtime(path, threads)
    rng = np.random.default_rng(0)
    shape = runtime.chunk, runtime.channels
    chunk = rng.uniform(-0.1, 0.1, shape).astype("float32")
    runtime.process(chunk)
    milliseconds = []
    for _ in range(runs):
        start = time.perf_counter()
        runtime.process(chunk)
        milliseconds.append(1000 * (time.perf_counter() - start))
    return {"ms": milliseconds, "peak": memory.peak()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(timed(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
