"""Times the transform and its inverse against torch.stft and torch.istft, on the processor.

    python benchmarks/stft.py --rounds 5

needs torch beside kerasep, and times JAX where it is installed. A minute of 44.1 kHz stereo, frames
of 4096 samples every 1024. On TensorFlow both as a function alone ("eager") and compiled into a
graph, as in a model; on JAX compiled. Each measurement is a fresh process with all cores; the
processes of one round follow one another. Results are compared with PyTorch's in the same run.
"""

import argparse
import importlib.util
import itertools
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import machine
import numpy as np

SAMPLE_RATE, N_FFT, HOP = 44100, 4096, 1024
RESULTS = pathlib.Path(__file__).parent / "results" / "stft.csv"


def tensorflow_engine(task, compiled):
    """Our functions on TensorFlow."""
    import tensorflow as tf

    from kerasep import ops

    transform = {"stft": ops.stft, "istft": ops.istft}[task]
    function = tf.function(transform) if compiled else transform
    return tf.convert_to_tensor, lambda x: function(x, N_FFT, HOP), lambda y: y.numpy()


def jax_engine(task):
    """Our functions on JAX."""
    import jax

    from kerasep import ops

    transform = {"stft": ops.stft, "istft": ops.istft}[task]
    function = jax.jit(transform, static_argnums=(1, 2))
    return jax.numpy.asarray, lambda x: function(x, N_FFT, HOP).block_until_ready(), np.asarray


def torch_engine(task):
    """PyTorch's own, in its own layout: `(channels, samples)`, and complex spectra."""
    import torch

    window = torch.hann_window(N_FFT)

    def to_torch(x):
        x = torch.from_numpy(x[0])
        if task == "stft":
            return x.T.contiguous()
        return torch.view_as_complex(x.permute(2, 1, 0, 3).contiguous())

    def run(x):
        if task == "stft":
            return torch.stft(x, N_FFT, HOP, window=window, return_complex=True)
        return torch.istft(x, N_FFT, HOP, window=window)

    def to_numpy(y):
        if task == "stft":
            return torch.view_as_real(y).permute(2, 1, 0, 3).numpy()[None]
        return y.T.numpy()[None]

    return to_torch, run, to_numpy


ENGINES = {
    "kerasep on TensorFlow, eager": lambda task: tensorflow_engine(task, False),
    "kerasep on TensorFlow, graph": lambda task: tensorflow_engine(task, True),
    "kerasep on JAX": jax_engine,
    "PyTorch": torch_engine,
}
REFERENCE = "PyTorch"


def work(folder, engine, task, runs):
    """Give the times of single runs in ms; leave the result in the folder."""
    prepare, run, to_numpy = ENGINES[engine](task)
    x = prepare(np.load(folder / f"{task}.npy"))
    for _ in range(2):
        result = run(x)
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        result = run(x)
        times.append(1000 * (time.perf_counter() - start))
    np.save(folder / f"{list(ENGINES).index(engine)}_{task}.npy", to_numpy(result))
    return times


def measure(folder, engine, task, runs):
    """Work in a fresh process."""
    command = [sys.executable, __file__, "--worker", engine, task, "--folder", str(folder)]
    backend = "jax" if "JAX" in engine else "tensorflow"
    finished = subprocess.run(
        [*command, "--runs", str(runs)],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": backend},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return json.loads(finished.stdout.splitlines()[-1])


def difference(folder, engine, task):
    """Largest difference from PyTorch's result, relative to its largest value."""
    ours, theirs = (
        np.load(folder / f"{list(ENGINES).index(name)}_{task}.npy") for name in (engine, REFERENCE)
    )
    return np.abs(ours - theirs).max() / np.abs(theirs).max()


def main():
    """Measure round by round, compare, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=7, help="timed runs of a process")
    parser.add_argument("--seconds", type=float, default=60.0, help="of audio")
    parser.add_argument("--out", default=RESULTS)
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=pathlib.Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        print(json.dumps(work(arguments.folder, *arguments.worker, arguments.runs)))
        return
    packages = ["kerasep", "tensorflow", "torch"]
    engines = [name for name in ENGINES if "JAX" not in name or importlib.util.find_spec("jax")]
    if "kerasep on JAX" in engines:
        packages.append("jax")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        random = np.random.default_rng(0)
        frames = round(arguments.seconds * SAMPLE_RATE / HOP)
        shape = (1, frames * HOP, 2)
        np.save(folder / "stft.npy", random.standard_normal(shape).astype("float32"))
        shape = (1, 1 + frames, N_FFT // 2 + 1, 2, 2)
        np.save(folder / "istft.npy", random.standard_normal(shape).astype("float32"))
        found = {case: [] for case in itertools.product(("stft", "istft"), engines)}
        for round_number in range(arguments.rounds):
            for (task, engine), rounds in found.items():
                rounds.append(measure(folder, engine, task, arguments.runs))
                median = statistics.median(rounds[-1])
                print(f"round {round_number + 1}: {task}, {engine}: {median:.1f} ms", flush=True)
        differences = {case: difference(folder, case[1], case[0]) for case in found}
    medians = {
        case: statistics.median(statistics.median(times) for times in rounds)
        for case, rounds in found.items()
    }
    described = machine.describe(*packages)
    rows = [
        {
            "task": task,
            "engine": engine,
            "median_ms": round(medians[task, engine], 1),
            "best_ms": round(min(map(min, rounds)), 1),
            "times_pytorch": round(medians[task, engine] / medians[task, REFERENCE], 2),
            "max_relative_difference": f"{differences[task, engine]:.1e}",
            "rounds": arguments.rounds,
            "runs": arguments.runs,
            "audio_seconds": arguments.seconds,
            **described,
        }
        for (task, engine), rounds in found.items()
    ]
    for row in rows:
        print(", ".join(str(value) for value in list(row.values())[:6]))
    machine.write_csv(arguments.out, rows)


if __name__ == "__main__":
    main()
