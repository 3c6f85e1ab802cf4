"""Times commands and imports from start to exit, beside an import of Keras and TensorFlow alone.

    python benchmarks/start_up.py --rounds 5

Each measurement is a fresh process; those of one round follow one another, and a first round, which
fills the caches of files, is not counted. `kerasep separate` gets ten seconds of mono audio at 16
kHz and its default model. Processor time is that of all threads, user and system.
"""

import argparse
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import machine
import numpy as np

RESULTS = pathlib.Path(__file__).parent / "results" / "start_up.csv"
YARDSTICK = "import keras"
COMMANDS = {
    YARDSTICK: ["-c", "import keras"],
    "import kerasep.tflite": ["-c", "import kerasep.tflite"],
    "kerasep.tflite.Runtime": ["-c", "import kerasep; kerasep.tflite.Runtime"],
    "kerasep list": ["-m", "kerasep", "list"],
    "kerasep separate, 10 s": ["-m", "kerasep", "separate", "clip.wav", "--overwrite"],
}


def write_clip(path):
    """Write ten seconds of noise."""
    from kerasep import data

    noise = np.random.default_rng(0).normal(0, 0.1, (160_000, 1))
    data.write(path, noise.astype("float32"), 16_000)


def measure(words, folder, backend):
    """Return the seconds on the clock and of the processor that a process takes."""
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, check=True, capture_output=True
    )
    taken, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return taken, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    """Measure round by round and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--backends", nargs="+", default=["tensorflow", "jax"])
    parser.add_argument("--out", default=RESULTS)
    arguments = parser.parse_args()
    cases = [(backend, name) for backend in arguments.backends for name in COMMANDS]
    times = {case: [] for case in cases}
    with tempfile.TemporaryDirectory() as folder:
        write_clip(pathlib.Path(folder) / "clip.wav")
        for number in range(arguments.rounds + 1):
            for backend, name in cases:
                taken = measure(COMMANDS[name], folder, backend)
                if number:
                    times[backend, name].append(taken)
                    print(f"round {number}: {backend}: {name}: {taken[0]:.2f} s", flush=True)
    rows = []
    for (backend, name), measured in times.items():
        clock, processor = np.transpose(measured)
        yardstick = np.array(times[backend, YARDSTICK])[:, 0]
        rows.append(
            {
                "backend": backend,
                "command": name,
                "median_seconds": round(float(np.median(clock)), 2),
                "best_seconds": round(float(clock.min()), 2),
                "median_processor_seconds": round(statistics.median(processor), 2),
                "median_share_of_import_keras": round(float(np.median(clock / yardstick)), 2),
                "rounds": arguments.rounds,
                **machine.describe("kerasep", "keras", "tensorflow", "jax"),
            }
        )
    machine.write_csv(arguments.out, rows)


if __name__ == "__main__":
    main()
